#include "jwt.h"

#include "postern/base/encode.h"

#include <openssl/rsa.h>
#include <string.h>

static struct json_object *decode_json(const char *text, size_t len)
{
    struct buf bytes = BUF_INIT(JWT_MAX);
    struct json_object *o = NULL;
    if (base64url_decode(text, len, &bytes) && bytes.len > 0)
        o = json_tokener_parse(buf_str(&bytes));
    buf_free(&bytes);
    return o;
}

bool jwt_parse(const char *text, struct jwt *out)
{
    *out = (struct jwt){.signature = BUF_INIT(JWT_MAX)};
    const char *dot = strchr(text, '.');
    const char *second = dot ? strchr(dot + 1, '.') : NULL;
    if (!second || strlen(text) > JWT_MAX || strchr(second + 1, '='))
        return false;
    out->header = decode_json(text, (size_t)(dot - text));
    out->claims = decode_json(dot + 1, (size_t)(second - dot - 1));
    out->signed_text = text;
    out->signed_len = (size_t)(second - text);
    return json_object_is_type(out->header, json_type_object) &&
           json_object_is_type(out->claims, json_type_object) &&
           base64url_decode(second + 1, strlen(second + 1), &out->signature);
}

void jwt_free(struct jwt *jwt)
{
    json_object_put(jwt->header);
    json_object_put(jwt->claims);
    buf_free(&jwt->signature);
}

const char *jwt_text(struct json_object *o, const char *name)
{
    struct json_object *v = NULL;
    if (!json_object_object_get_ex(o, name, &v) || !json_object_is_type(v, json_type_string))
        return "";
    return json_object_get_string(v);
}

int64_t jwt_number(struct json_object *o, const char *name)
{
    struct json_object *v = NULL;
    if (!json_object_object_get_ex(o, name, &v) || !json_object_is_type(v, json_type_int))
        return -1;
    return json_object_get_int64(v);
}

bool jwt_is_signed_by(const struct jwt *jwt, EVP_PKEY *key, bool pss)
{
    EVP_PKEY_CTX *key_ctx = NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestVerifyInit(ctx, &key_ctx, EVP_sha256(), NULL, key) == 1;
    if (ok && pss)
        ok = EVP_PKEY_CTX_set_rsa_padding(key_ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(key_ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
    ok = ok &&
         EVP_DigestVerify(ctx, (const unsigned char *)buf_str(&jwt->signature), jwt->signature.len,
                          (const unsigned char *)jwt->signed_text, jwt->signed_len) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}
