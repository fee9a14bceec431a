#!/usr/bin/env python3
"""Ruby's net/imap."""

from mailprograms import Skip, box, main, message, need, run, test

SCRIPT = r"""
require 'net/imap'
port, user, password = ARGV
imap = Net::IMAP.new('127.0.0.1', port: port.to_i)
imap.login(user, password)
raise 'capability' unless imap.capability.include?('IMAP4REV1')
imap.create('Done') unless imap.list('', 'Done')&.any?
imap.examine('INBOX')
imap.select('INBOX')
imap.search(['SUBJECT', 'number', 'NOT', 'DELETED']).each do |id|
  data = imap.fetch(id, ['ENVELOPE', 'BODYSTRUCTURE', 'UID', 'RFC822.SIZE', 'FLAGS', 'INTERNALDATE'])[0]
  envelope = data.attr['ENVELOPE']
  raise 'from' unless envelope.from[0].host == 'example.com'
  raise 'body' unless data.attr['BODYSTRUCTURE'].media_type.upcase == 'TEXT'
  if envelope.subject == 'number 1'
    imap.copy(id, 'Done')
    imap.store(id, '+FLAGS', [:Deleted])
  end
  imap.store(id, '+FLAGS', [:Seen, 'checked']) if envelope.subject == 'number 2'
end
imap.expunge
imap.append('Done', "Subject: appended\r\n\r\nbody\r\n", [:Seen], Time.at(1_500_000_000))
raise 'status' unless imap.status('Done', ['MESSAGES'])['MESSAGES'] == 2
imap.uid_move(imap.uid_search(['SUBJECT', 'number 0']), 'Done')
raise 'left' unless imap.uid_search(['ALL']).size == 2
heard = Thread.new { imap.idle(5) { |r| imap.idle_done if r.is_a?(Net::IMAP::UntaggedResponse) && r.name == 'EXISTS' } }
other = Net::IMAP.new('127.0.0.1', port: port.to_i)
other.login(user, password)
other.append('INBOX', "Subject: new\r\n\r\nbody\r\n")
heard.join
other.logout
imap.logout
imap.disconnect
"""


@test
def a_script():
    """Ruby: search, envelopes, copy, store, expunge, append, move, idle"""
    try:
        run(need("ruby"), "-rnet/imap", "-e", "1")
    except AssertionError:
        raise Skip("Ruby's net/imap is not installed") from None
    with box(*map(message, range(4))) as where:
        run(need("ruby"), "-e", SCRIPT, where.port, where.user, where.password)
        assert where.contents() == [("number 2", True), ("number 3", False), ("new", False)]
        assert where.contents("Done") == [("number 1", False), ("appended", True),
                                          ("number 0", False)]


main()
