using System;
using System.IO;
using Mmf.Channels;
using static Mmf.Failure;

namespace Mmf.Diagnostics;

/// <summary>What kind of object has a name.</summary>
public enum NamedObjectKind
{
    /// <summary>One that a newer version has made.</summary>
    Unknown = 0,

    /// <summary>A <see cref="MemoryMappedFile"/>.</summary>
    Map = 1,

    /// <summary>A <see cref="Mmf.Mutex"/>.</summary>
    Mutex = 2,

    /// <summary>An <see cref="EventWaitHandle"/>.</summary>
    Event = 3,

    /// <summary>A <see cref="Mmf.Semaphore"/>.</summary>
    Semaphore = 4,

    /// <summary>A <see cref="SharedQueue"/>.</summary>
    Queue = 5,

    /// <summary>A <see cref="SharedTopic"/>.</summary>
    Topic = 6,

    /// <summary>A <see cref="SharedLatest"/>.</summary>
    Latest = 7,

    /// <summary>A <see cref="SharedService"/>.</summary>
    Service = 8,
}

/// <summary>Whether an object is used.</summary>
public enum NamedObjectStatus
{
    /// <summary>A process keeps it open.</summary>
    InUse = 1,

    /// <summary>No process does: it is removed by the next call of a user who may.</summary>
    Orphaned = 2,

    /// <summary>Not an object of mmf's, or damaged; left alone.</summary>
    Invalid = 3,

    /// <summary>Another user's, which this one may not read.</summary>
    Inaccessible = 4,
}

/// <summary>Where to look for objects, and how closely.</summary>
[Flags]
public enum NamedObjectSearch
{
    /// <summary>This user's names, and those that begin with Global\.</summary>
    None = 0,

    /// <summary>This user's names.</summary>
    Local = 1,

    /// <summary>Names that begin with Global\.</summary>
    Global = 2,

    /// <summary>Show orphaned objects; else those that this user may remove are removed first.</summary>
    KeepOrphaned = 4,

    /// <summary>Find the processes that have them open: this looks at every process of the system.</summary>
    Holders = 8,

    /// <summary>Other users' local names, too, where they may be read.</summary>
    AllUsers = 16,
}

/// <summary>A process that has an object open.</summary>
public readonly struct NamedObjectHolder
{
    internal unsafe NamedObjectHolder(in Native.HolderInfo info)
    {
        Command = Text(info.Command);
        ProcessId = info.ProcessId;
        UserId = info.User;
        IsReadOnly = info.ReadOnly != 0;
        IsStopped = info.Stopped != 0;
    }

    /// <summary>The program's name, as the system has it.</summary>
    public string Command { get; }

    /// <summary>The process, as this one sees it.</summary>
    public int ProcessId { get; }

    /// <summary>The number of its effective user.</summary>
    public uint UserId { get; }

    /// <summary>It may only read the object.</summary>
    public bool IsReadOnly { get; }

    /// <summary>It is stopped, by a signal or a debugger; the object stays in use.</summary>
    public bool IsStopped { get; }
}

/// <summary>In what state a mutex, an event or a semaphore was when it was looked at. Nothing is locked for that, so it may
/// be another one at once.</summary>
public readonly struct NamedObjectSignal
{
    internal NamedObjectSignal(in Native.SyncInfo info)
    {
        IsSignalled = info.Signalled != 0;
        Count = info.Count;
        MaximumCount = info.Maximum;
        IsManualReset = info.ManualReset != 0;
        IsAbandoned = info.Abandoned != 0;
        IsOwned = info.Owned != 0;
        OwnerProcessId = info.OwnerProcessId;
        HasWaiters = info.Waiters != 0;
        IsCorrupt = info.Corrupt != 0;
    }

    /// <summary>A wait would have succeeded.</summary>
    public bool IsSignalled { get; }

    /// <summary>Of a semaphore what is left; of a mutex how often its owner has it.</summary>
    public int Count { get; }

    /// <summary>Of a semaphore.</summary>
    public int MaximumCount { get; }

    /// <summary>Of an event: it wakes every waiter until it is reset.</summary>
    public bool IsManualReset { get; }

    /// <summary>Of a mutex: its last owner died, and the next wait is an AbandonedMutexException.</summary>
    public bool IsAbandoned { get; }

    /// <summary>Of a mutex: a living thread owns it.</summary>
    public bool IsOwned { get; }

    /// <summary>Of a mutex, with <see cref="NamedObjectSearch.Holders"/>: its owner's process; 0 if it was not
    /// seen.</summary>
    public int OwnerProcessId { get; }

    /// <summary>A thread may be waiting.</summary>
    public bool HasWaiters { get; }

    /// <summary>Its shared words are invalid; the rest means nothing.</summary>
    public bool IsCorrupt { get; }
}

/// <summary>What <see cref="NamedObject.RemoveOrphaned"/> has done.</summary>
public readonly struct OrphanRemoval
{
    internal OrphanRemoval(in Native.GcResult result)
    {
        Bytes = result.Bytes;
        Removed = result.Removed;
        Refused = result.Refused;
        InUse = result.InUse;
        Invalid = result.Invalid;
    }

    /// <summary>Memory that was released.</summary>
    public long Bytes { get; }

    /// <summary>Orphaned objects that were removed.</summary>
    public int Removed { get; }

    /// <summary>Orphaned objects of other users.</summary>
    public int Refused { get; }

    /// <summary>Objects that a process keeps open.</summary>
    public int InUse { get; }

    /// <summary>Files that are no objects of mmf's; left alone.</summary>
    public int Invalid { get; }
}

/// <summary>
/// An object that has a name, as it was when it was looked at: of any kind, in this process or another one. For programs
/// that watch others.
/// </summary>
public sealed unsafe class NamedObject
{
    private NamedObject(in Native.ObjectInfo info)
    {
        Name = Text(info.Name);
        Kind = (NamedObjectKind)info.Kind;
        Status = (NamedObjectStatus)info.Status;
        Path = Text(info.Path);
        MappedFile = Text(info.File) is { Length: > 0 } file ? file : null;
        Capacity = info.Capacity;
        Resident = info.Resident;
        Created = DateTimeOffset.UnixEpoch.AddTicks(info.Created / TimeSpan.NanosecondsPerTick);
        CreatorCommand = Text(info.CreatorCommand);
        CreatorProcessId = info.CreatorProcessId;
        HolderCount = info.Holders;
        Holders = new NamedObjectHolder[info.ProcessCount];
        for (int i = 0; i < Holders.Length; i++)
            Holders[i] = new NamedObjectHolder(info.Processes[i]);
        Access = (MemoryMappedFileAccess)info.Protection;
        UnixFileMode = (UnixFileMode)info.Mode;
        UserId = info.Owner;
        Signal = info.Sync != null ? new NamedObjectSignal(*info.Sync) : null;
        Channel = info.Channel != null ? new ChannelStatistics(*info.Channel) : null;
    }

    /// <summary>With Global\ before it if every user finds it. Of what is invalid or inaccessible the file's
    /// name.</summary>
    public string Name { get; }

    /// <summary>What it is.</summary>
    public NamedObjectKind Kind { get; }

    /// <summary>Whether it is used.</summary>
    public NamedObjectStatus Status { get; }

    /// <summary>The object's own file.</summary>
    public string Path { get; }

    /// <summary>Of a map of a file that file; else null.</summary>
    public string? MappedFile { get; }

    /// <summary>Bytes.</summary>
    public long Capacity { get; }

    /// <summary>Bytes of the object's own file that take memory now.</summary>
    public long Resident { get; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset Created { get; }

    /// <summary>The program that has made it, as that program said.</summary>
    public string CreatorCommand { get; }

    /// <summary>The process that has made it, as that process said; another one may have the number since.</summary>
    public int CreatorProcessId { get; }

    /// <summary>How many processes have it open, counted up to 4,096.</summary>
    public int HolderCount { get; }

    /// <summary>With <see cref="NamedObjectSearch.Holders"/>: those of them that this process may look at, by process id.
    /// Other users' and other containers' are hidden, as a rule.</summary>
    public NamedObjectHolder[] Holders { get; }

    /// <summary>Of a map what its views may do.</summary>
    public MemoryMappedFileAccess Access { get; }

    /// <summary>The permission bits of its file.</summary>
    public UnixFileMode UnixFileMode { get; }

    /// <summary>The number of the user whose it is.</summary>
    public uint UserId { get; }

    /// <summary>Of a mutex, an event or a semaphore its state; else null.</summary>
    public NamedObjectSignal? Signal { get; }

    /// <summary>Of a channel that is in use its counters; else null.</summary>
    public ChannelStatistics? Channel { get; }

    /// <summary>The objects that have names, ordered by name.</summary>
    /// <param name="flags">Where to look, and how closely.</param>
    /// <returns>The objects, as they are at this moment.</returns>
    /// <exception cref="ArgumentException">Unknown flags.</exception>
    /// <exception cref="UnauthorizedAccessException">The names' directory is not this user's, or not safe.</exception>
    /// <exception cref="IOException">The system refused it.</exception>
    public static NamedObject[] GetAll(NamedObjectSearch flags = NamedObjectSearch.None)
    {
        nint list;

        Check(Native.mmf_list_create((uint)flags, &list), About.Map);
        try
        {
            var objects = new NamedObject[Native.mmf_list_count(list)];
            for (int i = 0; i < objects.Length; i++)
                objects[i] = new NamedObject(*Native.mmf_list_get(list, i));
            return objects;
        }
        finally
        {
            Native.mmf_list_close(list);
        }
    }

    /// <summary>Removes every orphaned object that this user may remove. Each call that makes or opens an object does so to
    /// those that it meets; this one does it to all.</summary>
    /// <param name="flags">Where to look.</param>
    /// <returns>What was done.</returns>
    /// <exception cref="ArgumentException">Unknown flags.</exception>
    /// <exception cref="UnauthorizedAccessException">The names' directory is not this user's, or not safe.</exception>
    /// <exception cref="IOException">The system refused it.</exception>
    public static OrphanRemoval RemoveOrphaned(NamedObjectSearch flags = NamedObjectSearch.None)
    {
        Native.GcResult result;

        Check(Native.mmf_gc((uint)flags, &result), About.Map);
        return new OrphanRemoval(result);
    }
}
