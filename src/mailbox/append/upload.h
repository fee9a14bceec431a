/* An upload from the inside: what append.c and its parts read of it. */
#ifndef POSTERN_MAILBOX_UPLOAD_H
#define POSTERN_MAILBOX_UPLOAD_H

#include "postern/mailbox/transfer.h"
#include "postern/store/original.h"

struct mailbox_upload {
    struct mailbox_account *account; /* a reference */
    struct store_spool *spool;
    bool has_nul;
};

#endif
