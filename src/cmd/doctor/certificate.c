#include "certificate.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t to_ms(const ASN1_TIME *t)
{
    struct tm tm;
    return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) * 1000 : 0;
}

static void put_name(struct certificate *c, const char *text, int len)
{
    size_t used = strlen(c->names);
    if (used + (size_t)len + sizeof ", " <= sizeof c->names)
        snprintf(c->names + used, sizeof c->names - used, "%s%.*s", used ? ", " : "", len, text);
}

static void read_names(X509 *x, struct certificate *out)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_DNS)
            put_name(out, (const char *)ASN1_STRING_get0_data(name->d.dNSName),
                     ASN1_STRING_length(name->d.dNSName));
        else if (name->type == GEN_IPADD)
            put_name(out, "an IP address", (int)strlen("an IP address"));
    }
    GENERAL_NAMES_free(names);
}

static void read_key(X509 *x, struct certificate *out)
{
    const EVP_PKEY *key = X509_get0_pubkey(x);
    if (!key)
        return;
    out->is_rsa = EVP_PKEY_base_id(key) == EVP_PKEY_RSA;
    out->bits = EVP_PKEY_bits(key);
    const char *type = EVP_PKEY_get0_type_name(key);
    snprintf(out->key, sizeof out->key, "%s %d", type ? type : "key of", out->bits);
}

bool certificate_read(const char *path, struct certificate *out, struct error *e)
{
    memset(out, 0, sizeof *out);
    FILE *f = fopen(path, "re");
    if (!f)
        return error_set(e, ERROR_LOCAL, "cannot read %s: %s", path, strerror(errno));
    for (X509 *x; (x = PEM_read_X509(f, NULL, NULL, NULL)); X509_free(x)) {
        if (out->chain++)
            continue;
        out->from_ms = to_ms(X509_get0_notBefore(x));
        out->until_ms = to_ms(X509_get0_notAfter(x));
        out->self_signed = X509_check_issued(x, x) == X509_V_OK;
        X509_NAME_get_text_by_NID(X509_get_issuer_name(x), NID_commonName, out->issuer,
                                  sizeof out->issuer);
        read_names(x, out);
        read_key(x, out);
    }
    fclose(f);
    return out->chain > 0 || error_set(e, ERROR_LOCAL, "%s holds no certificate in PEM form", path);
}
