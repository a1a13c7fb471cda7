// The functions of libmmf that the channels and the asynchronous waits call, as include/mmf/queue.h,
// topic.h, latest.h, service.h and poller.h declare them.
using System.Runtime.InteropServices;

namespace Mmf;

internal static unsafe partial class Native
{
    // struct mmf_message: the library writes all fields.
    [StructLayout(LayoutKind.Sequential)]
    internal struct Message
    {
        internal byte* Bytes;
        internal nuint Length;
        internal ulong Sequence;
        internal ulong Lost;
        internal uint Flags;
        internal uint Deliveries;
        private fixed uint reserved[4];
    }

    internal const uint Redelivered = 1, Last = 0x100, DepthInPart = 256;
    internal const uint AnswerLast = 0, AnswerMore = 1;
    internal const int Overwritten = 3;

    [StructLayout(LayoutKind.Sequential)]
    internal struct Buffer
    {
        internal byte* Bytes;
        internal nuint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct ChannelOptions()
    {
        private readonly uint size = (uint)sizeof(ChannelOptions);
        internal uint Role;
        internal int Strategy;
        internal uint Flags;
        internal int MaxSenders;
        internal int MaxReceivers;
        internal int Replay;
        internal int AllUsers;
        internal uint Mode;
        internal int WaitMilliseconds;
        internal int MaxPins;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct ServiceOptions()
    {
        private readonly uint size = (uint)sizeof(ServiceOptions);
        internal uint Role;
        internal int Strategy;
        internal uint Flags;
        internal int MaxClients;
        internal int MaxServers;
        internal int MaxCalls;
        internal int MaxAnswers;
        internal int AllUsers;
        internal uint Mode;
        internal int WaitMilliseconds;
        private readonly uint reserved;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct ChannelStatistics
    {
        internal fixed byte Identity[16];
        internal long MessageSize, Capacity;
        internal ulong Sent, Received, Dropped, Lost, Redelivered;
        internal long Depth, HighWater;
        internal int Senders, Receivers, MaxSenders, MaxReceivers;
        internal int Overflow;
        internal uint Flags;
        internal int Pins, MaxPins;
        internal long AnswerSize;
        internal int MaxCalls, MaxAnswers;
        internal long InFlight;
        private fixed ulong reserved[4];
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct QueueItem
    {
        internal ulong Sequence;
        internal long Length;
        internal long Age;
        internal int State;
        internal uint Deliveries;
        internal int ProcessId;
        private readonly uint reserved;
        internal byte* Bytes;
        internal nuint Copied;
    }

    //
    // Queue.
    //

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_queue_create_new(string? name, nuint messageSize, nuint capacity, int overflow,
                                                     ChannelOptions* options, nint* queue);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_queue_create_or_open(string? name, nuint messageSize, nuint capacity,
                                                         int overflow, ChannelOptions* options, int* created,
                                                         nint* queue);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_queue_open_existing(string? name, ChannelOptions* options, nint* queue);

    [LibraryImport(Library)]
    internal static partial void mmf_queue_close(nint queue);

    [LibraryImport(Library)]
    internal static partial int mmf_queue_reserve(nint queue, nuint length, int timeout, byte** bytes);

    [LibraryImport(Library)]
    internal static partial int mmf_queue_commit(nint queue, nuint length, ulong* sequence);

    [LibraryImport(Library)]
    internal static partial int mmf_queue_commit_from(nint queue, nuint length, ulong source, ulong position,
                                                      ulong* sequence);

    [LibraryImport(Library)]
    internal static partial int mmf_queue_applied(nint queue, ulong source, ulong* position);

    [LibraryImport(Library)]
    internal static partial int mmf_queue_abandon(nint queue);

    [LibraryImport(Library)]
    internal static partial int mmf_queue_send(nint queue, byte* bytes, nuint length, int timeout, ulong* sequence);

    [LibraryImport(Library)]
    internal static partial int mmf_queue_send_many(nint queue, Buffer* messages, nuint count, int timeout,
                                                    nuint* sent);

    [LibraryImport(Library)]
    internal static partial int mmf_queue_take(nint queue, int timeout, Message* message);

    [LibraryImport(Library)]
    internal static partial int mmf_queue_take_many(nint queue, nuint most, int timeout, Message* messages,
                                                    nuint* count);

    [LibraryImport(Library)]
    internal static partial int mmf_queue_release(nint queue, Message* message);

    [LibraryImport(Library)]
    internal static partial int mmf_queue_release_many(nint queue, Message* messages, nuint count);

    [LibraryImport(Library)]
    internal static partial int mmf_queue_return(nint queue, Message* message);

    [LibraryImport(Library)]
    internal static partial int mmf_queue_drain(nint queue, int timeout);

    [LibraryImport(Library)]
    internal static partial int mmf_queue_receive(nint queue, byte* buffer, nuint capacity, int timeout,
                                                  nuint* length, Message* message);

    [LibraryImport(Library)]
    internal static partial nint mmf_queue_waitable(nint queue);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_queue_browse_bytes(string? name, QueueItem* items, nuint most, byte* bytes,
                                                       nuint each, nuint* count);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_channel_stat(string? name, ChannelStatistics* statistics);

    [LibraryImport(Library)]
    internal static partial int mmf_channel_size(int kind, nuint messageSize, nuint capacity, ChannelOptions* options,
                                                 long* bytes);

    [LibraryImport(Library)]
    internal static partial int mmf_queue_stat(nint queue, ChannelStatistics* statistics);

    //
    // Topic.
    //

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_topic_create_new(string? name, nuint messageSize, nuint capacity, int overflow,
                                                     ChannelOptions* options, nint* topic);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_topic_create_or_open(string? name, nuint messageSize, nuint capacity,
                                                         int overflow, ChannelOptions* options, int* created,
                                                         nint* topic);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_topic_open_existing(string? name, ChannelOptions* options, nint* topic);

    [LibraryImport(Library)]
    internal static partial void mmf_topic_close(nint topic);

    [LibraryImport(Library)]
    internal static partial int mmf_topic_reserve(nint topic, nuint length, int timeout, byte** bytes);

    [LibraryImport(Library)]
    internal static partial int mmf_topic_commit(nint topic, nuint length, ulong* sequence);

    [LibraryImport(Library)]
    internal static partial int mmf_topic_abandon(nint topic);

    [LibraryImport(Library)]
    internal static partial int mmf_topic_send(nint topic, byte* bytes, nuint length, int timeout, ulong* sequence);

    [LibraryImport(Library)]
    internal static partial int mmf_topic_send_many(nint topic, Buffer* messages, nuint count, int timeout,
                                                    nuint* sent);

    [LibraryImport(Library)]
    internal static partial int mmf_topic_take(nint topic, int timeout, Message* message);

    [LibraryImport(Library)]
    internal static partial int mmf_topic_release(nint topic);

    [LibraryImport(Library)]
    internal static partial int mmf_topic_receive(nint topic, byte* buffer, nuint capacity, int timeout,
                                                  nuint* length, Message* message);

    [LibraryImport(Library)]
    internal static partial nint mmf_topic_waitable(nint topic);

    [LibraryImport(Library)]
    internal static partial int mmf_topic_stat(nint topic, ChannelStatistics* statistics);

    //
    // Latest value.
    //

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_latest_create_new(string? name, nuint valueSize, ChannelOptions* options,
                                                      nint* latest);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_latest_create_or_open(string? name, nuint valueSize, ChannelOptions* options,
                                                          int* created, nint* latest);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_latest_open_existing(string? name, ChannelOptions* options, nint* latest);

    [LibraryImport(Library)]
    internal static partial void mmf_latest_close(nint latest);

    [LibraryImport(Library)]
    internal static partial int mmf_latest_reserve(nint latest, nuint length, byte** bytes);

    [LibraryImport(Library)]
    internal static partial int mmf_latest_commit(nint latest, nuint length, ulong* version);

    [LibraryImport(Library)]
    internal static partial int mmf_latest_abandon(nint latest);

    [LibraryImport(Library)]
    internal static partial int mmf_latest_send(nint latest, byte* bytes, nuint length, ulong* version);

    [LibraryImport(Library)]
    internal static partial int mmf_latest_receive(nint latest, byte* buffer, nuint capacity, nuint* length,
                                                   ulong* version);

    [LibraryImport(Library)]
    internal static partial int mmf_latest_take(nint latest, Message* message);

    [LibraryImport(Library)]
    internal static partial int mmf_latest_release(nint latest);

    [LibraryImport(Library)]
    internal static partial int mmf_latest_wait(nint latest, ulong version, int timeout);

    [LibraryImport(Library)]
    internal static partial nint mmf_latest_waitable(nint latest);

    [LibraryImport(Library)]
    internal static partial int mmf_latest_stat(nint latest, ChannelStatistics* statistics);

    //
    // Service.
    //

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_service_create_new(string? name, nuint requestSize, nuint answerSize,
                                                       nuint capacity, ServiceOptions* options, nint* service);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_service_create_or_open(string? name, nuint requestSize, nuint answerSize,
                                                           nuint capacity, ServiceOptions* options, int* created,
                                                           nint* service);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_service_open_existing(string? name, ServiceOptions* options, nint* service);

    [LibraryImport(Library)]
    internal static partial void mmf_service_close(nint service);

    [LibraryImport(Library)]
    internal static partial int mmf_service_call(nint service, byte* request, nuint requestLength, byte* buffer,
                                                 nuint capacity, int timeout, nuint* length);

    [LibraryImport(Library)]
    internal static partial int mmf_service_send(nint service, byte* bytes, nuint length, int timeout, ulong* call);

    [LibraryImport(Library)]
    internal static partial int mmf_service_reserve(nint service, nuint length, int timeout, byte** bytes);

    [LibraryImport(Library)]
    internal static partial int mmf_service_commit(nint service, nuint length, ulong* call);

    [LibraryImport(Library)]
    internal static partial int mmf_service_abandon(nint service);

    [LibraryImport(Library)]
    internal static partial int mmf_service_take_answer(nint service, ulong call, int timeout, Message* answer);

    [LibraryImport(Library)]
    internal static partial int mmf_service_release_answer(nint service, Message* answer);

    [LibraryImport(Library)]
    internal static partial int mmf_service_cancel(nint service, ulong call);

    [LibraryImport(Library)]
    internal static partial int mmf_service_take(nint service, int timeout, Message* request);

    [LibraryImport(Library)]
    internal static partial int mmf_service_is_wanted(nint service, Message* request, int* wanted);

    [LibraryImport(Library)]
    internal static partial int mmf_service_reserve_answer(nint service, Message* request, nuint length,
                                                           int timeout, byte** bytes);

    [LibraryImport(Library)]
    internal static partial int mmf_service_commit_answer(nint service, Message* request, nuint length, uint flags);

    [LibraryImport(Library)]
    internal static partial int mmf_service_answer(nint service, Message* request, byte* bytes, nuint length,
                                                   uint flags, int timeout);

    [LibraryImport(Library)]
    internal static partial int mmf_service_return(nint service, Message* request);

    [LibraryImport(Library)]
    internal static partial nint mmf_service_waitable(nint service);

    [LibraryImport(Library)]
    internal static partial int mmf_service_stat(nint service, ChannelStatistics* statistics);

    //
    // Waiting without a thread for each wait.
    //

    [LibraryImport(Library)]
    internal static partial int mmf_poller_create(nint* poller);

    [LibraryImport(Library)]
    internal static partial int mmf_poller_add(nint poller, nint waitable, nint data);

    [LibraryImport(Library)]
    internal static partial int mmf_poller_remove(nint poller, nint waitable);

    [LibraryImport(Library)]
    internal static partial int mmf_poller_fd(nint poller, int* fd);

    [LibraryImport(Library)]
    internal static partial int mmf_poller_ready(nint poller, nint* data, nuint most, nuint* count);

    [StructLayout(LayoutKind.Sequential)]
    internal struct PollDescriptor
    {
        internal int Descriptor;
        internal short Events;
        internal short Found;
    }

    internal const short PollIn = 1;

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int poll(PollDescriptor* descriptors, nuint count, int timeout);
}
