// SHA-256 and MD5 from the system's own library: CommonCrypto on Apple's systems, OpenSSL elsewhere.
#ifndef CNAMID_DIGEST_H
#define CNAMID_DIGEST_H

#include <stddef.h>
#include <stdint.h>

/// A SHA-256 of what was added so far; a copy of it goes on by itself.
typedef struct {
  uint64_t state[16];
} namid_sha256;

void namid_sha256_begin(namid_sha256 *hash);
void namid_sha256_add(namid_sha256 *hash, const void *bytes, size_t count);
void namid_sha256_end(namid_sha256 *hash, uint8_t digest[32]);

/// Writes the MD5 of some bytes into `digest`.
void namid_md5(const void *bytes, size_t count, uint8_t digest[16]);

#endif
