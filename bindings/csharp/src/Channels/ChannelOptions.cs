// What a channel's creator chooses, and what a channel counts.
using System;
using System.IO;
using System.Threading;

namespace Mmf.Channels;

/// <summary>What happens to a message when there is no free slot.</summary>
public enum ChannelOverflow
{
    /// <summary>The sender waits for as long as it says.</summary>
    Block = 1,

    /// <summary>The call fails at once: TrySend answers false.</summary>
    Fail = 2,

    /// <summary>The oldest message is dropped, and counted.</summary>
    DropOldest = 3,
}

/// <summary>How a call waits.</summary>
public enum ChannelStrategy
{
    /// <summary>Spin for some 50 us, then sleep.</summary>
    SpinThenWait = 0,

    /// <summary>Spin; never sleeps, and needs no wake-up.</summary>
    Spin = 1,

    /// <summary>Look for a few us, then sleep.</summary>
    Wait = 2,
}

/// <summary>What a handle is for.</summary>
[Flags]
public enum ChannelRoles
{
    /// <summary>It sends; of a service: it calls.</summary>
    Send = 1,

    /// <summary>It receives; of a service: it answers.</summary>
    Receive = 2,

    /// <summary>Both.</summary>
    Both = Send | Receive,
}

/// <summary>Settings that all kinds of channel have.</summary>
public abstract record SharedChannelOptions
{
    internal const uint Spsc = 1, PeerClosed = 2, OneProducer = 4;

    private protected SharedChannelOptions()
    {
    }

    /// <summary>What this handle is for; of a service, Send calls and Receive answers.</summary>
    public ChannelRoles Roles { get; init; } = ChannelRoles.Both;

    /// <summary>How this handle waits.</summary>
    public ChannelStrategy Strategy { get; init; }

    /// <summary>A wait of this handle ends with EndOfStreamException, and ReadAllAsync ends, when the last
    /// peer that there was has closed the channel or died.</summary>
    public bool EndWithLastPeer { get; init; }

    /// <summary>Every user finds the name, as if it began with Global\.</summary>
    public bool AllUsers { get; init; }

    /// <summary>Creator: who may use it, whatever the process's umask; 0 means every user with AllUsers, else
    /// this one.</summary>
    public UnixFileMode UnixCreateMode { get; init; }

    /// <summary>OpenExisting: how long to wait for the name.</summary>
    public TimeSpan WaitForName { get; init; }

    /// <summary>Rounded up: a shorter wait than what was asked for would poll.</summary>
    internal static int Milliseconds(TimeSpan timeout, string parameter = "timeout")
    {
        if (timeout == TimeSpan.Zero)
            return 0;
        double milliseconds = Math.Ceiling(timeout.TotalMilliseconds);
        if (milliseconds is >= 0 and <= int.MaxValue)
            return (int)milliseconds;
        return timeout == Timeout.InfiniteTimeSpan
            ? Timeout.Infinite
            : throw new ArgumentOutOfRangeException(
                parameter, $"Invalid timeout {timeout}: 0 to {int.MaxValue} ms, or Timeout.InfiniteTimeSpan.");
    }
}

/// <summary>Settings of a queue, a topic or a latest value. Opening ignores what is for its creator.</summary>
public sealed record ChannelOptions : SharedChannelOptions
{
    /// <summary>Creator, queue: one producer and one consumer, which is faster.</summary>
    public bool SingleProducerSingleConsumer { get; init; }

    /// <summary>Creator, topic and latest value: one sender at a time, which is faster.</summary>
    public bool SingleProducer { get; init; }

    /// <summary>Creator: senders at one time; 0 means 64.</summary>
    public int MaxSenders { get; init; }

    /// <summary>Creator: receivers at one time; 0 means 64.</summary>
    public int MaxReceivers { get; init; }

    /// <summary>Creator: messages at one time that readers keep from being overwritten. 0 means 4 for a
    /// latest value, none for a topic.</summary>
    public int MaxPins { get; init; }

    /// <summary>Topic: begin with up to so many older messages.</summary>
    public int Replay { get; init; }

    internal static Native.ChannelOptions Of(ChannelOptions? options)
    {
        options ??= new ChannelOptions();
        return new Native.ChannelOptions
        {
            Role = (uint)options.Roles,
            Strategy = (int)options.Strategy,
            Flags = (options.SingleProducerSingleConsumer ? Spsc : 0) | (options.EndWithLastPeer ? PeerClosed : 0) |
                    (options.SingleProducer ? OneProducer : 0),
            MaxSenders = options.MaxSenders,
            MaxReceivers = options.MaxReceivers,
            MaxPins = options.MaxPins,
            Replay = options.Replay,
            AllUsers = options.AllUsers ? 1 : 0,
            Mode = (uint)options.UnixCreateMode,
            WaitMilliseconds = Milliseconds(options.WaitForName, nameof(WaitForName)),
        };
    }
}

/// <summary>Settings of a service. Opening ignores what is for its creator.</summary>
public sealed record ServiceOptions : SharedChannelOptions
{
    /// <summary>Creator: clients at one time; 0 means 64. Each has memory for its answers.</summary>
    public int MaxClients { get; init; }

    /// <summary>Creator: servers at one time; 0 means 64.</summary>
    public int MaxServers { get; init; }

    /// <summary>Creator: calls that a client may have open; 0 means 4.</summary>
    public int MaxCalls { get; init; }

    /// <summary>Creator: answers to one call that may wait, rounded up to a power of two; 0 means 2.</summary>
    public int MaxAnswers { get; init; }

    internal static Native.ServiceOptions Of(ServiceOptions? options)
    {
        options ??= new ServiceOptions();
        return new Native.ServiceOptions
        {
            Role = (uint)options.Roles,
            Strategy = (int)options.Strategy,
            Flags = options.EndWithLastPeer ? PeerClosed : 0,
            MaxClients = options.MaxClients,
            MaxServers = options.MaxServers,
            MaxCalls = options.MaxCalls,
            MaxAnswers = options.MaxAnswers,
            AllUsers = options.AllUsers ? 1 : 0,
            Mode = (uint)options.UnixCreateMode,
            WaitMilliseconds = Milliseconds(options.WaitForName, nameof(WaitForName)),
        };
    }
}

/// <summary>What has happened in a channel since its creation, by all participants together. What a killed
/// one had not yet counted may be missing.</summary>
public readonly struct ChannelStatistics
{
    internal unsafe ChannelStatistics(in Native.ChannelStatistics counted)
    {
        fixed (byte* identity = counted.Identity)
            Identity = new Guid(new ReadOnlySpan<byte>(identity, 16));
        MessageSize = counted.MessageSize;
        Capacity = counted.Capacity;
        Sent = counted.Sent;
        Received = counted.Received;
        Dropped = counted.Dropped;
        Lost = counted.Lost;
        Redelivered = counted.Redelivered;
        Depth = counted.Depth;
        HighWater = counted.HighWater;
        Senders = counted.Senders;
        Receivers = counted.Receivers;
        MaxSenders = counted.MaxSenders;
        MaxReceivers = counted.MaxReceivers;
        Overflow = (ChannelOverflow)counted.Overflow;
        Pins = counted.Pins;
        MaxPins = counted.MaxPins;
        AnswerSize = counted.AnswerSize;
        MaxCalls = counted.MaxCalls;
        MaxAnswers = counted.MaxAnswers;
        InFlight = counted.InFlight;
        SingleProducerSingleConsumer = (counted.Flags & SharedChannelOptions.Spsc) != 0;
        SingleProducer = (counted.Flags & SharedChannelOptions.OneProducer) != 0;
        IsDepthInPart = (counted.Flags & Native.DepthInPart) != 0;
    }

    /// <summary>Random, of this channel alone; a name made anew has another one.</summary>
    public Guid Identity { get; }

    /// <summary>The most bytes of a message; of a service, of a request.</summary>
    public long MessageSize { get; }

    /// <summary>Slots.</summary>
    public long Capacity { get; }

    /// <summary>Messages sent.</summary>
    public ulong Sent { get; }

    /// <summary>Messages released, by all receivers together.</summary>
    public ulong Received { get; }

    /// <summary>Dropped for newer ones, or of dead producers.</summary>
    public ulong Dropped { get; }

    /// <summary>Topic: the sum of what subscribers have missed.</summary>
    public ulong Lost { get; }

    /// <summary>Queue: given to another consumer.</summary>
    public ulong Redelivered { get; }

    /// <summary>Queue: messages waiting now; topic: of the slowest subscriber.</summary>
    public long Depth { get; }

    /// <summary>The highest depth observed.</summary>
    public long HighWater { get; }

    /// <summary>Senders now.</summary>
    public int Senders { get; }

    /// <summary>Receivers now.</summary>
    public int Receivers { get; }

    /// <summary>Senders at most.</summary>
    public int MaxSenders { get; }

    /// <summary>Receivers at most.</summary>
    public int MaxReceivers { get; }

    /// <summary>What happens when there is no free slot.</summary>
    public ChannelOverflow Overflow { get; }

    /// <summary>Messages that readers keep now.</summary>
    public int Pins { get; }

    /// <summary>Messages that readers may keep.</summary>
    public int MaxPins { get; }

    /// <summary>Service: the most bytes of an answer; else 0.</summary>
    public long AnswerSize { get; }

    /// <summary>Service: calls that a client may have open; else 0.</summary>
    public int MaxCalls { get; }

    /// <summary>Service: answers to one call that may wait; else 0.</summary>
    public int MaxAnswers { get; }

    /// <summary>Queue, service: messages taken and not yet released.</summary>
    public long InFlight { get; }

    /// <summary>Queue: one producer and one consumer.</summary>
    public bool SingleProducerSingleConsumer { get; }

    /// <summary>Topic and latest value: one sender at a time.</summary>
    public bool SingleProducer { get; }

    /// <summary>Depth is of the newest 262,144 slots alone: a process that takes no part reads no more.</summary>
    public bool IsDepthInPart { get; }
}

/// <summary>Where a message of a queue is.</summary>
public enum QueueItemState
{
    /// <summary>No consumer has it.</summary>
    Waiting = 1,

    /// <summary>A consumer has taken it.</summary>
    InFlight = 2,

    /// <summary>A producer writes it.</summary>
    Reserved = 3,
}

/// <summary>A message that <see cref="SharedQueue.Browse"/> found.</summary>
public readonly struct QueueItem
{
    internal unsafe QueueItem(in Native.QueueItem found)
    {
        Sequence = found.Sequence;
        Length = found.Length;
        Age = found.Age >= 0 ? TimeSpan.FromMilliseconds(found.Age) : null;
        State = (QueueItemState)found.State;
        Deliveries = (int)found.Deliveries;
        ProcessId = found.ProcessId;
        Bytes = found.Bytes != null ? new ReadOnlySpan<byte>(found.Bytes, (int)found.Copied).ToArray() : null;
    }

    /// <summary>Its number in the queue.</summary>
    public ulong Sequence { get; }

    /// <summary>Bytes; 0 while it is being written.</summary>
    public long Length { get; }

    /// <summary>How long a consumer has had it; null if none has, or it is not known.</summary>
    public TimeSpan? Age { get; }

    /// <summary>Where it is.</summary>
    public QueueItemState State { get; }

    /// <summary>How often it was given to a consumer so far.</summary>
    public int Deliveries { get; }

    /// <summary>The process that has it, as that process sees itself; 0 if no process has it.</summary>
    public int ProcessId { get; }

    /// <summary>A copy of its first bytes, if they were asked for; null while it is being written.</summary>
    public byte[]? Bytes { get; }
}
