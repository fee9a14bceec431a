#include "mailbox_sql.h"

const char *const mailbox_sql[DB_STMT_COUNT] = {
    DB_TX_SQL,
    [DB_FOLDER_FIND] = "SELECT key, graph_id, uidvalidity, uidnext, modseq, uid_mode, synced, "
                       "marked, delta_link, resume_delta, resume_listing, listing_done, "
                       "delta_done, recent FROM folder WHERE graph_id = ?1",
    [DB_FOLDER_INSERT] = "INSERT INTO folder (graph_id, uidvalidity, uidnext, modseq, uid_mode, "
                         "synced, marked, delta_link, resume_delta, resume_listing, "
                         "listing_done, delta_done, recent) "
                         "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    [DB_FOLDER_UPDATE] = "UPDATE folder SET graph_id = ?1, uidvalidity = ?2, uidnext = ?3, "
                         "modseq = ?4, uid_mode = ?5, synced = ?6, marked = ?7, "
                         "delta_link = ?8, resume_delta = ?9, resume_listing = ?10, "
                         "listing_done = ?11, delta_done = ?12, recent = ?13 WHERE key = ?14",
    [DB_FOLDER_DELETE] = "DELETE FROM folder WHERE key = ?1",
    [DB_ALIAS_GET] = "SELECT graph_id FROM alias WHERE name = ?1",
    [DB_ALIAS_SET] = "INSERT INTO alias (name, graph_id) VALUES (?1, ?2) "
                     "ON CONFLICT (name) DO UPDATE SET graph_id = excluded.graph_id",
    [DB_ALIAS_FORGET] = "DELETE FROM alias WHERE graph_id = ?1",
    /* A given UID is never taken back, and a size that was told never changes with its UID. */
    [DB_MESSAGE_PUT] = "INSERT INTO message (folder, graph_id, uid, flags, received, article, "
                       "estimate, size, modseq, change_key, keywords, told, written) "
                       "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) "
                       "ON CONFLICT (folder, graph_id) DO UPDATE SET "
                       "uid = CASE excluded.uid WHEN 0 THEN uid ELSE excluded.uid END, "
                       "size = CASE WHEN size >= 0 AND (uid = 0 OR excluded.uid IN (0, uid)) "
                       "THEN size ELSE excluded.size END, "
                       "told = CASE WHEN told > 0 AND (uid = 0 OR excluded.uid IN (0, uid)) "
                       "THEN told ELSE excluded.told END, "
                       "flags = excluded.flags, received = excluded.received, "
                       "article = excluded.article, estimate = excluded.estimate, "
                       "modseq = excluded.modseq, change_key = excluded.change_key, "
                       "keywords = excluded.keywords, written = excluded.written",
    [DB_MESSAGE_BURY] = "INSERT INTO tombstone (folder, uid, id_hash, modseq, retired) "
                        "VALUES (?1, ?2, ?3, ?4, ?5)",
    [DB_MESSAGE_DROP] = "DELETE FROM message WHERE folder = ?1 AND uid = ?2 AND uid > 0",
    [DB_MESSAGE_ID] = "SELECT graph_id FROM message WHERE folder = ?1 AND uid = ?2 AND uid > 0",
    [DB_MESSAGE_FIND] = "SELECT graph_id, uid, flags, received, article, estimate, size, modseq, "
                        "change_key, keywords, told, written "
                        "FROM message WHERE folder = ?1 AND graph_id = ?2",
    [DB_MESSAGE_SET_SIZE] = "UPDATE message SET size = ?3 "
                            "WHERE folder = ?1 AND uid = ?2 AND uid > 0 AND size < 0",
    [DB_MESSAGE_SET_FLAGS] = "UPDATE message SET flags = ?3, keywords = ?4, change_key = ?5, "
                             "written = ?6, modseq = ?7 WHERE folder = ?1 AND uid = ?2 AND uid > 0",
    [DB_MESSAGE_SET_TOLD] = "UPDATE message SET told = ?3 "
                            "WHERE folder = ?1 AND uid = ?2 AND uid > 0 AND told = 0",
    [DB_MESSAGE_ELSEWHERE] =
        "SELECT 1 FROM folder WHERE key <> ?1 AND (EXISTS (SELECT 1 FROM message WHERE "
        "folder = folder.key AND graph_id = ?2) OR EXISTS (SELECT 1 FROM tombstone WHERE "
        "folder = folder.key AND id_hash = ?3))",
    [DB_RETIRED_FIND] = "SELECT max(retired) FROM tombstone WHERE folder = ?1 AND id_hash = ?2",
    [DB_RETIRED_DROP] = "DELETE FROM tombstone WHERE retired < ?1",
    [DB_UNSTAGE_ALL] = "DELETE FROM message WHERE folder = ?1 AND uid = 0",
    [DB_UNSTAGE_ONE] = "DELETE FROM message WHERE folder = ?1 AND uid = 0 AND graph_id = ?2",
    [DB_ORIGINAL_PUT] = "INSERT OR REPLACE INTO original (graph_id, size, received, flags, "
                        "look_at) VALUES (?1, ?2, ?3, ?4, ?5)",
    [DB_ORIGINAL_COPY] = "INSERT OR REPLACE INTO original (graph_id, size, received, flags, "
                         "look_at) SELECT ?2, size, received, flags, ?3 FROM original "
                         "WHERE graph_id = ?1",
    [DB_ORIGINAL_FIND] = "SELECT size, received, flags FROM original WHERE graph_id = ?1",
    [DB_ORIGINAL_IS_DRAFT] = "UPDATE original SET flags = flags | ?2 WHERE graph_id = ?1",
    [DB_ORIGINAL_TELL_DRAFT] = "UPDATE original SET flags = (flags & ~?2) | ?3 WHERE graph_id = ?1",
    [DB_ORIGINAL_DROP] = "DELETE FROM original WHERE graph_id = ?1",
    [DB_ORIGINAL_DUE] = "SELECT graph_id FROM original WHERE look_at > 0 AND look_at <= ?1 "
                        "ORDER BY look_at LIMIT ?2",
    /* 0 while a row of the message is there: its going sets the time (see schema.c). */
    [DB_ORIGINAL_LIVES] = "UPDATE original SET look_at = CASE WHEN EXISTS (SELECT 1 FROM message "
                          "WHERE message.graph_id = ?1) THEN 0 ELSE ?2 END WHERE graph_id = ?1",
    [DB_MAKING_BEGIN] = "INSERT INTO making (folder, mark, began) VALUES (?1, ?2, ?3)",
    [DB_MAKING_KNOWN] = "UPDATE making SET graph_id = ?2 WHERE key = ?1",
    [DB_MAKING_END] = "DELETE FROM making WHERE key = ?1",
    [DB_MAKING_ABANDON] = "UPDATE making SET abandoned = 1 WHERE key = ?1 OR ?1 = 0",
    [DB_MAKING_EACH] = "SELECT key, folder, mark, graph_id, began FROM making "
                       "WHERE abandoned = 1 ORDER BY key",
    [DB_FACT_GET] = "SELECT data FROM fact WHERE folder = ?1 AND uid = ?2 AND kind = ?3",
    [DB_FACT_PUT] = "INSERT OR IGNORE INTO fact (folder, uid, kind, data) "
                    "SELECT ?1, ?2, ?3, ?4 WHERE EXISTS "
                    "(SELECT 1 FROM message WHERE folder = ?1 AND uid = ?2 AND uid > 0)",
    [DB_EMAIL_PUT] = "INSERT OR IGNORE INTO email (graph_id, digest, email, gone) "
                     "VALUES (?1, ?2, ?3, ?4)",
    [DB_EMAIL_OF] = "SELECT email FROM email WHERE digest = ?1",
    [DB_EMAIL_BEARERS] = "SELECT digest FROM email WHERE email = ?1 UNION ALL SELECT ?1 WHERE NOT "
                         "EXISTS (SELECT 1 FROM email WHERE digest = ?1) ORDER BY 1",
    [DB_EMAIL_LIVES] = "UPDATE email SET gone = 0 WHERE gone > 0 AND EXISTS (SELECT 1 FROM folder "
                       "WHERE EXISTS (SELECT 1 FROM message WHERE folder = folder.key "
                       "AND graph_id = email.graph_id))",
    [DB_EMAIL_DROP] = "DELETE FROM email WHERE gone > 0 AND gone < ?1",
    /* Bits: STORE_SEEN is 1, STORE_DELETED 32. */
    [DB_FOLDER_TOTALS] =
        "SELECT count(*), coalesce(sum((flags & 1) = 0), 0), "
        "coalesce(sum(uid >= ?2), 0), "
        "coalesce(sum(max(told, CASE WHEN size >= 0 THEN size "
        "ELSE max(estimate, 0) END)), 0) FROM message WHERE folder = ?1 AND uid > 0",
    [DB_TREE_EACH] = "SELECT graph_id, parent_id, name, hidden, children, total, unread, change, "
                     "covered FROM tree",
    [DB_TREE_CLEAR] = "DELETE FROM tree",
    [DB_TREE_PUT] = "INSERT OR REPLACE INTO tree (graph_id, parent_id, name, hidden, children, "
                    "total, unread, change, covered) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [DB_TREE_REMOVE] = "DELETE FROM tree WHERE graph_id = ?1",
    [DB_TREE_STATE] = "SELECT link, round FROM tree_state",
    [DB_TREE_SET_STATE] = "INSERT OR REPLACE INTO tree_state (one, link, round) VALUES (1, ?1, ?2)",
    [DB_TREE_COVER] = "UPDATE tree SET covered = ?2 WHERE graph_id = ?1",
    [DB_SUBSCRIPTION_SET] = "INSERT OR REPLACE INTO subscription (name, subscribed) "
                            "VALUES (?1, ?2)",
    [DB_SUBSCRIPTION_EACH] = "SELECT name, subscribed FROM subscription ORDER BY name",
    [DB_VALIDITY_GET] = "SELECT graph_id, uidvalidity FROM validity WHERE name = ?1",
    [DB_VALIDITY_SET] = "INSERT OR REPLACE INTO validity (name, graph_id, uidvalidity) "
                        "VALUES (?1, ?2, ?3)",
};
