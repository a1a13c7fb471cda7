/* siphash.h - a 128-bit hash of bytes. */
#ifndef MMF_BASE_SIPHASH_H
#define MMF_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/*
 * SipHash-2-4 with 128-bit output, by Aumasson and Bernstein ("SipHash: a fast
 * short-input PRF", 2012, and its 128-bit variant). `out` is the same on every machine.
 */
void mmf_siphash128(const uint8_t key[16], const void *bytes, size_t count,
                    uint8_t out[16]);

#endif
