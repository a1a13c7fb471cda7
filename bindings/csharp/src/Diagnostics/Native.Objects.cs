// The functions of libmmf that look at the namespace, as include/mmf/list.h declares them.
using System.Runtime.InteropServices;

namespace Mmf;

internal static unsafe partial class Native
{
    [StructLayout(LayoutKind.Sequential)]
    internal struct SyncInfo
    {
        internal int Signalled, Count, Maximum, ManualReset, Abandoned, Owned, OwnerProcessId, Waiters, Corrupt;
        private fixed uint reserved[7];
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct HolderInfo
    {
        internal byte* Command;
        internal int ProcessId;
        internal uint User;
        internal int ReadOnly, Stopped;
        private fixed ulong reserved[4];
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct ObjectInfo
    {
        internal byte* Name, Path, CreatorCommand, File;
        internal long Capacity, Resident, Created;
        internal int Kind, Status, Holders, Protection;
        internal uint Mode, Owner;
        internal int CreatorProcessId;
        private readonly uint reserved;
        internal SyncInfo* Sync;
        internal HolderInfo* Processes;
        internal int ProcessCount;
        private readonly uint reserved2;
        internal ChannelStatistics* Channel;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct GcResult
    {
        internal long Bytes;
        internal int Removed, Refused, InUse, Invalid;
        private fixed ulong reserved[4];
    }

    [LibraryImport(Library)]
    internal static partial int mmf_list_create(uint flags, nint* list);

    [LibraryImport(Library)]
    internal static partial int mmf_list_count(nint list);

    [LibraryImport(Library)]
    internal static partial ObjectInfo* mmf_list_get(nint list, int index);

    [LibraryImport(Library)]
    internal static partial void mmf_list_close(nint list);

    [LibraryImport(Library)]
    internal static partial int mmf_gc(uint flags, GcResult* result);
}
