EXTRA_DIST += tests/data/make-mail.py tests/data/mail
