/*
 * What the files of this layer share: registry, account and folder from the inside.
 *
 * Locks, outermost first; none is held over the network:
 *   folder->writer    one SQLite commit and the publishing of what was committed
 *   account->lock     tables, flights, the published state of folders; never over any I/O
 *   registry->lock    the table of accounts and their references
 * The poller's own lock is outside of the last two.
 */
#ifndef POSTERN_MAILBOX_INTERNAL_H
#define POSTERN_MAILBOX_INTERNAL_H

#include "change/claims.h"
#include "poller.h"
#include "sync/merge.h"
#include "workers.h"

#include "postern/base/table.h"
#include "postern/graph/folder.h"
#include "postern/graph/write.h"
#include "postern/mailbox/account.h"
#include "postern/mailbox/transfer.h"
#include "postern/store/body_cache.h"

#include <pthread.h>

struct sync_flight;
struct sync_job;
struct mailbox_tree;
struct counts;

/* The folder tree as an account keeps it. Guarded by account->lock, but for the link, the round
 * and by_listing, which belong to the one who has the turn (tree.c). */
struct account_tree {
    struct mailbox_tree *kept;      /* NULL: it was never read */
    bool loaded;                    /* the store was asked for it */
    bool busy;                      /* somebody has the turn */
    int64_t began_ms;               /* monotonic, the last round; 0: none in this process */
    int64_t stale_ms;               /* when a folder of it was found to be gone */
    bool tells_total, tells_unread; /* the delta was seen to tell of counters alone */
    struct counts *counts;          /* STATUS's, the last that were listed; NULL: none */
    struct table *seen;             /* STATUS's; NULL: nothing yet */
    int64_t alone_ms;               /* when STATUS of the inbox alone last asked for its messages */
    int64_t failed_ms;              /* when a round began that failed, and how */
    struct error failure;
    unsigned subscriptions; /* counts their changes */
    struct wait_list waiters;
    char *link;      /* of the next delta; NULL: read it whole */
    uint64_t round;  /* number of the last one */
    bool by_listing; /* no delta here, or one that leaves folders out */
};

struct mailbox_registry {
    struct graph_client *graph;
    struct store_cache *cache;
    char *state_dir;
    size_t read_ahead;
    struct workers *workers;
    struct poller *poller;
    pthread_mutex_t
        lock; /* guards the two below, and refs, ready, idle_since and chores of accounts */
    pthread_cond_t ready; /* an account was opened, could not be, or was closed */
    struct table *accounts;
};

struct mailbox_account {
    struct mailbox_registry *registry;
    char *key, *owner; /* owner: principal_key() */
    char *mailbox;     /* as it was written first: for Graph and the log */
    char *folded;      /* in lower case: for the store, since case makes no other mailbox */
    unsigned refs;
    bool ready;         /* the database is open and stays so */
    bool listed;        /* in the registry's table */
    int64_t idle_since; /* monotonic, when refs fell to 0 */
    bool guest;         /* of a client's own token, which is not kept any longer than it is used */
    int64_t chores_due_ms; /* monotonic; see chores.c */
    bool chores_running;
    struct graph_user *user;
    struct store_db *db;
    struct claims *claims;
    pthread_mutex_t lock;    /* guards the tables below and what folders say they share */
    struct table *folders;   /* graph id → folder; they live as long as the account */
    struct table *downloads; /* name → struct download under way or held */
    struct account_tree tree;
    bool resolving;             /* somebody asks Graph for a folder */
    struct wait_list resolvers; /* who waits for that */
};

struct mailbox_folder {
    struct mailbox_account *account; /* a reference to a folder is one to its account */
    int64_t key;                     /* of its row */
    char *graph_id;
    char *path; /* as it was asked for, for texts */
    pthread_mutex_t writer;
    struct store_folder row; /* guarded by `writer` */
    struct table *doubts;    /* ids whose rows may be wrong: our write and a round crossed;
                                guarded by `writer` */
    /* Guarded by account->lock: */
    struct mailbox_view *view; /* NULL before the first sync */
    uint32_t uidvalidity, uidnext;
    uint64_t modseq;            /* highest given */
    struct wait_list watchers;  /* woken by a new generation */
    bool rewriting;             /* somebody makes new arrays of categories from those it knows */
    struct wait_list rewriters; /* who waits to do the same */
    int64_t round_began_ms;     /* monotonic: the last round that failed not; 0: none */
    bool needs_full;            /* first sync, resync, or no delta here */
    struct sync_flight *flight, *next; /* the round under way, the one after it */
    struct sync_job *job;              /* a full sync under way */
    char **arrivals;                   /* ids that the next round asks for; see arrive() */
    size_t arrival_count;
    /* Touched only by the one who leads a sync: */
    int64_t article_next;       /* 0x6751 when the folder was read, -1: unknown */
    int64_t expected;           /* messages, for the progress; -1: unknown */
    int64_t last_round_ms;      /* wall; 0: none in this process */
    bool no_delta;              /* Graph has no message delta here */
    int64_t marked_ms;          /* monotonic: when our mark was last written; 0: not here.
                                   Guarded by account->lock */
    int64_t mark_not_before_ms; /* monotonic: our mark was refused, or the server failed */
};

struct mailbox_account *account_ref(struct mailbox_account *a);
/* After a failed database call: if the database was set aside as damaged, whoever comes next
 * opens the account anew. Nothing can be committed by this one any more. */
void account_check(struct mailbox_account *a);

/* The folder's object, made from its row in the store if it has none yet; a reference is taken.
 * 1: *out is set; 0: the store does not know the folder; -1: error. */
int folder_load(struct mailbox_account *a, const char *graph_id, const char *path,
                struct mailbox_folder **out, struct error *e);
/* Enters a folder that Graph described into the store; UIDVALIDITY by its mark. */
struct mailbox_folder *folder_make(struct mailbox_account *a, const struct graph_folder *g,
                                   const char *path, struct error *e);
void folder_destroy(struct mailbox_folder *f);

/* A commit of a sync. */
struct folder_commit {
    const struct merge_result *result;
    struct merge_uids uids;
    uint32_t uidvalidity;   /* 0: as before */
    bool marked;            /* the mark on the folder says what this commit says */
    bool full;              /* a first sync or resync is complete */
    const char *delta_link; /* NULL: none */
};
/* One transaction, then the new generation. */
bool folder_commit(struct mailbox_folder *f, const struct folder_commit *c, struct error *e);
/* Remembers that the mark on the folder says the same as the row. */
bool folder_commit_marked(struct mailbox_folder *f, struct error *e);
/* Retires messages that we deleted ourselves. */
bool folder_retire(struct mailbox_folder *f, const uint32_t *uids, size_t count, struct error *e);
/* What Graph says of a message now, whole as a GET gives it: committed and published if it differs
 * from the row. A UID that is gone is passed over. */
bool folder_update(struct mailbox_folder *f, uint32_t uid, const struct graph_message *m,
                   struct error *e);
/* A change of flags that Graph confirmed. */
struct flag_write {
    struct row row; /* as it is now; its modseq is the one that it was made from */
    uint32_t flags; /* those that we wrote */
    bool keywords;  /* we wrote them */
};
/* One transaction for all. Where a round was quicker, what we wrote goes over what it found, and
 * the message is doubted. */
bool folder_write_flags(struct mailbox_folder *f, struct flag_write *const *writes, size_t count,
                        struct error *e);
/* The ids that are doubted, which the round that takes them asks for. */
struct table *folder_take_doubts(struct mailbox_folder *f);
/* Ends that; `unsettled`: they stay doubted. True: there are doubts now. */
bool folder_return_doubts(struct mailbox_folder *f, struct table **taken, bool unsettled);
/* The exact size of a message became known; the first one told is final. */
bool folder_note_size(struct mailbox_folder *f, uint32_t uid, int64_t size, struct error *e);
/* A copy of the row's delta link (free it), and where UIDs stand. */
char *folder_sync_state(struct mailbox_folder *f, struct merge_uids *uids, bool *marked);

/* One round by the delta link, on this thread. ERROR_RESYNC: it needs a full sync. */
bool sync_round(struct mailbox_folder *f, bool read_only, struct wait *w, struct error *e);
/* A full sync, on this thread: first sync, resync or listing. `progress` is called as pages are
 * merged. */
bool sync_full(struct mailbox_folder *f, bool read_only, void (*progress)(void *arg, size_t seen),
               void *arg, struct wait *w, struct error *e);
/* Enters an id that the merge has not seen, with what the store knows of it. NULL: error. */
struct merge_item *sync_enter(struct mailbox_folder *f, struct merge *m, const char *id,
                              struct error *e);
/* One round for those who watch, led or joined. A full sync that is due instead is started on a
 * worker and not waited for. */
bool sync_poll(struct mailbox_folder *f, bool read_only, struct wait *w, struct error *e);
/* Monotonic time at which the last round began that failed not, or is under way; 0: none. */
int64_t sync_last_round(struct mailbox_folder *f);
/* Messages that we put into the folder ourselves: runs rounds, which ask for those by id that the
 * delta does not tell yet, until each has its UID. uids[i] is 0 for one that is not there (any
 * more); NULL ids are passed over. */
bool arrive(struct mailbox_folder *f, const char *const *ids, size_t count, uint32_t *uids,
            struct wait *w, struct error *e);
/* For the leader of a round: enters what is expected into its merge. */
bool arrive_meet(struct mailbox_folder *f, struct merge *m, struct wait *w, struct error *e);
/* Something shows that the folder changed: the next poll or refresh does not wait its time. */
void sync_mark_stale(struct mailbox_folder *f);
/* Starts a full sync on a worker if the folder needs one and none runs. */
void sync_warm(struct mailbox_folder *f, bool read_only);

/* The PATCH before diverged UIDs are told; may choose a newer UIDVALIDITY (see mark.c). */
bool mark_divergence(struct mailbox_folder *f, bool read_only, bool marked, struct wait *w,
                     struct folder_commit *commit, struct error *e);
/* Writes the folder's mark if it is not there yet and we may; failing is not an error. */
void mark_folder(struct mailbox_folder *f, bool read_only, struct wait *w);
/* True and *uidvalidity, *exact for a mark of ours. */
bool mark_parse(const char *mark, uint32_t *uidvalidity, bool *exact);

/* Asks for messages one by one, four abreast: `fn` for each answer as it comes; NULL: it is not in
 * this folder any more. */
typedef void fetch_fn(void *arg, size_t index, const struct graph_message *message_or_null);
bool fetch_each(struct mailbox_folder *f, const char *const *ids, size_t count, fetch_fn *fn,
                void *arg, struct wait *w, struct error *e);
/* The same, told to the merge. */
bool fetch_by_id(struct mailbox_folder *f, struct merge *m, const char *const *ids, size_t count,
                 struct wait *w, struct error *e);
/* A page of a listing in place of the one before, which `call` asked to follow: waits for the call
 * and frees it. ERROR_ANSWER also if a page leads to itself. Free the last page, also on false. */
bool fetch_page(struct graph_call *call, struct graph_page *page, struct wait *w, struct error *e);
/* Reads listing pages into the merge's items until `wanted` of its new items were seen. */
bool fetch_listing(struct mailbox_folder *f, struct merge *m, int64_t since_ms, size_t wanted,
                   size_t max_pages, struct wait *w, struct error *e);

/* Looks after the mailbox on a worker, with the reference that the caller took; then
 * account_chores_done(). */
void chores_start(struct mailbox_account *a);
/* Gives the reference back; nobody used the account by that. */
void account_chores_done(struct mailbox_account *a, int64_t due_ms);

/* What was told of an appended message takes the place of what Graph shows (original.c); one that
 * was edited loses its original. Inside the commit's transaction. */
bool original_apply(struct mailbox_folder *f, struct row *r, struct error *e);

/* What clients said of \Draft goes with messages that came from a folder, which was `before`, to
 * another one (draft.c). It costs no request; what cannot be kept is logged. */
void draft_carry(const struct mailbox_view *before, struct mailbox_folder *to,
                 const struct mailbox_transfer *moved, size_t count, struct wait *w);

/* COPY and MOVE of so few messages go one by one, so that they arrive in their order; of more, some
 * change places with their neighbours. */
#define IN_ORDER_MAX 8

/* Messages that Postern made and that must not stay: removed for good, by permanentDelete, or
 * where that is absent by a move to the recoverable items. Each has its row in the journal, which
 * is ended with it, or abandoned to chores.c. */
struct undo_item {
    const char *graph_id; /* NULL: nothing was made, or nobody knows what */
    int64_t making;       /* key in the journal, 0: none */
};
void undo_made(struct mailbox_account *a, const struct undo_item *items, size_t count,
               struct wait *w);

/* Tells of each message in a folder that is as `what` (by Message-ID or by mark) and `value` say.
 * Where Graph refuses the filter, the whole folder is listed. */
bool find_each(struct mailbox_account *a, const char *folder_id, enum graph_find what,
               const char *value, void (*fn)(void *arg, const char *id), void *arg, struct wait *w,
               struct error *e);
/* Looks in a folder, found as `what` and `value` say, for the one message that is new there: not
 * accepted by `old`. Since Exchange lists late what was just written, nothing found is looked for
 * again after some seconds, unless `w` is of the background, which comes back anyway. What another
 * command claims is none (claims.h). 1: *id is the caller's, and claimed; 0: none; -1: error,
 * ERROR_ANSWER if there are more. */
typedef bool find_old_fn(void *arg, const char *id);
int find_new(struct mailbox_account *a, const char *folder_id, enum graph_find what,
             const char *value, find_old_fn *old, void *arg, char **id, struct wait *w,
             struct error *e);

/* The second half of mailbox_delete(): no round before it; adds to the result. `marked`: the
 * messages bear \Deleted, which is taken off where they go to Deleted Items. */
bool delete_named(struct mailbox_folder *f, const uint32_t *uids, size_t count,
                  enum config_expunge how, bool marked, struct wait *w,
                  struct mailbox_delete_result *result, struct error *e);

/* Another UIDVALIDITY, because the folder has a name now for which its own was told before. */
bool folder_set_validity(struct mailbox_folder *f, uint32_t uidvalidity, struct error *e);
/* STATUS tells these two, or what is higher already: neither falls below. */
bool folder_set_told(struct mailbox_folder *f, uint32_t uidvalidity, uint32_t uidnext,
                     struct error *e);
/* The UIDVALIDITY that the folder may tell under this name is remembered for it; raised where it
 * is not above what another folder told. 0: it may stay as it was; 1: *uidvalidity is another
 * one; -1: error. */
int validity_for(struct mailbox_account *a, const char *name, const char *graph_id,
                 uint32_t *uidvalidity, struct error *e);
/* The same for an open folder, whose UIDVALIDITY then follows. */
bool validity_claim(struct mailbox_folder *f, const char *name, struct error *e);

/* The folder id of a well-known name: remembered, or one request. The caller frees it; NULL:
 * error. */
char *tree_well_known(struct mailbox_account *a, const char *name, struct wait *w, struct error *e);
/* Is it known to be the inbox? Asks only the store. */
bool tree_is_inbox(struct mailbox_folder *f);
/* The folder is gone: the tree is read anew before a name is looked up in it. */
void tree_forget(struct mailbox_folder *f);

/* Requests of a mailbox in flight for one purpose; the scheduler's default is the same. */
#define ABREAST 4

static inline struct graph_as as_of(const void *who, const struct wait *w)
{
    return (struct graph_as){.fair_key = who, .background = w->background};
}

#endif
