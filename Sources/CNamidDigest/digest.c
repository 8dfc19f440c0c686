#include "CNamidDigest.h"

#ifdef __APPLE__

#include <CommonCrypto/CommonDigest.h>

// CommonCrypto counts in 32 bits.
static const size_t piece = (size_t)1 << 30;

_Static_assert(sizeof(CC_SHA256_CTX) <= sizeof(namid_sha256), "no room for the state");

void namid_sha256_begin(namid_sha256 *hash) { CC_SHA256_Init((CC_SHA256_CTX *)hash->state); }

void namid_sha256_add(namid_sha256 *hash, const void *bytes, size_t count) {
  const char *next = bytes;
  for (; count > piece; count -= piece, next += piece)
    CC_SHA256_Update((CC_SHA256_CTX *)hash->state, next, (CC_LONG)piece);
  CC_SHA256_Update((CC_SHA256_CTX *)hash->state, next, (CC_LONG)count);
}

void namid_sha256_end(namid_sha256 *hash, uint8_t digest[32]) {
  CC_SHA256_Final(digest, (CC_SHA256_CTX *)hash->state);
}

#pragma clang diagnostic ignored "-Wdeprecated-declarations"

void namid_md5(const void *bytes, size_t count, uint8_t digest[16]) {
  CC_MD5_CTX hash;
  CC_MD5_Init(&hash);
  const char *next = bytes;
  for (; count > piece; count -= piece, next += piece) CC_MD5_Update(&hash, next, (CC_LONG)piece);
  CC_MD5_Update(&hash, next, (CC_LONG)count);
  CC_MD5_Final(digest, &hash);
}

#else

// The functions with their state outside of the library: 40 KB of it are linked in. Those that OpenSSL 3 would rather
// see used bring 4 MB and read a configuration file.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/md5.h>
#include <openssl/sha.h>

_Static_assert(sizeof(SHA256_CTX) <= sizeof(namid_sha256), "no room for the state");

void namid_sha256_begin(namid_sha256 *hash) { SHA256_Init((SHA256_CTX *)hash->state); }

void namid_sha256_add(namid_sha256 *hash, const void *bytes, size_t count) {
  SHA256_Update((SHA256_CTX *)hash->state, bytes, count);
}

void namid_sha256_end(namid_sha256 *hash, uint8_t digest[32]) {
  SHA256_Final(digest, (SHA256_CTX *)hash->state);
}

void namid_md5(const void *bytes, size_t count, uint8_t digest[16]) {
  MD5_CTX hash;
  MD5_Init(&hash);
  MD5_Update(&hash, bytes, count);
  MD5_Final(digest, &hash);
}

#endif
