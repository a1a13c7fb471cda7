/* peers.h - all peers, one file each, or one for several that are alike. */
#ifndef MMF_BENCH_CHANNELS_PEERS_PEERS_H
#define MMF_BENCH_CHANNELS_PEERS_PEERS_H

#include "channels/channel.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const struct channel_peer channel_bare, channel_bare_packed, channel_futex,
    channel_line, channel_pipe, channel_stream, channel_seqpacket, channel_mq,
    channel_mmf_single, channel_mmf_many, channel_mmf_copy, channel_mmf_topic,
    channel_mmf_topic_single, channel_mmf_latest, channel_mmf_service;

/* Those whose packages the build did not find have the address NULL. */
#define CHANNEL_IF_INSTALLED __attribute__((weak))
extern const struct channel_peer channel_boost CHANNEL_IF_INSTALLED,
    channel_zeromq CHANNEL_IF_INSTALLED, channel_nng CHANNEL_IF_INSTALLED,
    channel_ck CHANNEL_IF_INSTALLED, channel_rte_single CHANNEL_IF_INSTALLED,
    channel_rte_many CHANNEL_IF_INSTALLED, channel_iceoryx CHANNEL_IF_INSTALLED;

#ifdef __cplusplus
}
#endif

#endif
