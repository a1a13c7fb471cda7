// What C has beside .NET: the list of names, names that are waited for, maps of an exact capacity, inherited maps.
using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Win32.SafeHandles;
using Mmf.Channels;
using Mmf.Diagnostics;
using Xunit;

namespace Mmf.Tests;

// Alone: another test's call removes what is orphaned, too.
[CollectionDefinition("alone", DisableParallelization = true)]
public class AloneDefinition;

[Collection("alone")]
public sealed class NamedObjectTests : IDisposable
{
    private readonly string name = Guid.NewGuid().ToString("N");

    public void Dispose() => Backend.PreferSystem = false;

    private NamedObject Find(NamedObjectSearch flags = NamedObjectSearch.None) =>
        Assert.Single(NamedObject.GetAll(flags), one => one.Name.Contains(name, StringComparison.Ordinal));

    [Fact]
    public void A_map_is_listed()
    {
        DateTimeOffset before = DateTimeOffset.UtcNow;
        using MemoryMappedFile map = MemoryMappedFile.CreateNew($@"Global\{name}", 10000);
        NamedObject found = Find(NamedObjectSearch.Global | NamedObjectSearch.Holders);
        NamedObjectHolder holder = Assert.Single(found.Holders);

        Assert.Equal($@"Global\{name}", found.Name);
        Assert.Equal((NamedObjectKind.Map, NamedObjectStatus.InUse), (found.Kind, found.Status));
        Assert.True(File.Exists(found.Path));
        Assert.Null(found.MappedFile);
        Assert.Equal(10000, found.Capacity);
        Assert.InRange(found.Resident, 10000, 100000);
        Assert.InRange(found.Created, before.AddSeconds(-1), DateTimeOffset.UtcNow.AddSeconds(1));
        Assert.Equal(Environment.ProcessId, found.CreatorProcessId);
        Assert.Equal(holder.Command, found.CreatorCommand);
        Assert.Equal(1, found.HolderCount);
        Assert.Equal(Environment.ProcessId, holder.ProcessId);
        Assert.Equal(found.UserId, holder.UserId);
        Assert.False(holder.IsReadOnly || holder.IsStopped);
        Assert.Equal(MemoryMappedFileAccess.ReadWrite, found.Access);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, found.UnixFileMode);
        Assert.Null(found.Signal);
        Assert.Null(found.Channel);
        Assert.DoesNotContain(NamedObject.GetAll(NamedObjectSearch.Local), one => one.Name == found.Name);
        Assert.Empty(Find().Holders); // not asked for
    }

    [Fact]
    public void A_map_of_a_file_is_listed()
    {
        string path = Namespace.NewPath();
        using MemoryMappedFile map = MemoryMappedFile.CreateFromFile(path, FileMode.CreateNew, name, 10);
        Assert.Equal(path, Find().MappedFile);
    }

    [Fact]
    public void A_mutex_is_listed_with_its_owner()
    {
        using var mutex = new Mutex(true, name);
        mutex.WaitOne();
        NamedObjectSignal owned = Find(NamedObjectSearch.Holders).Signal!.Value;
        Assert.Equal((true, 2, Environment.ProcessId), (owned.IsOwned, owned.Count, owned.OwnerProcessId));
        Assert.False(owned.IsSignalled || owned.IsAbandoned || owned.HasWaiters || owned.IsCorrupt);
        mutex.ReleaseMutex();
        mutex.ReleaseMutex();
        Check.InThread(() => mutex.WaitOne());
        Assert.True(SpinWait.SpinUntil(() => Find().Signal!.Value.IsAbandoned, Check.Deadline));
    }

    [Fact]
    public void An_event_and_a_semaphore_are_listed_with_their_state()
    {
        using (new EventWaitHandle(true, EventResetMode.ManualReset, name))
        {
            Assert.Equal(NamedObjectKind.Event, Find().Kind);
            Assert.True(Find().Signal is { IsSignalled: true, IsManualReset: true });
        }
        using (new Semaphore(2, 5, name))
            Assert.True(Find().Signal is { IsSignalled: true, IsManualReset: false, Count: 2, MaximumCount: 5 });
    }

    [Fact]
    public void A_channel_is_listed_with_its_counters()
    {
        using SharedQueue queue = SharedQueue.CreateNew(name, 8, 4, ChannelOverflow.Block);
        queue.Send(1L);
        NamedObject found = Find();
        Assert.Equal(NamedObjectKind.Queue, found.Kind);
        Assert.Equal((1UL, 4, queue.GetStatistics().Identity),
                     (found.Channel!.Value.Sent, found.Channel.Value.Capacity, found.Channel.Value.Identity));
    }

    [Fact]
    public void What_a_killed_process_had_is_removed()
    {
        NamedObject.RemoveOrphaned();
        using var peer = new Peer("C#");
        Assert.Equal("ok", peer.Do($"map-new {name} 10000"));
        using MemoryMappedFile mine = MemoryMappedFile.CreateNew(name + "-mine", 1);
        peer.Kill();
        Assert.Equal(NamedObjectStatus.Orphaned,
                     NamedObject.GetAll(NamedObjectSearch.KeepOrphaned).Single(one => one.Name == name).Status);
        OrphanRemoval done = NamedObject.RemoveOrphaned();
        Assert.Equal((1, 0), (done.Removed, done.Refused));
        Assert.True(done.InUse >= 1);
        Assert.InRange(done.Bytes, 10000, 100000);
        Assert.Equal(0, NamedObject.RemoveOrphaned().Removed);
        Assert.Equal(name + "-mine", Find(NamedObjectSearch.KeepOrphaned).Name);
    }

    [Fact]
    public void Unknown_flags_are_refused()
    {
        ChannelTests.Fails<ArgumentException>("MMF_E_INVALID", "0x400", () => NamedObject.GetAll((NamedObjectSearch)0x400));
        ChannelTests.Fails<ArgumentException>("MMF_E_INVALID", "0x400", () => NamedObject.RemoveOrphaned((NamedObjectSearch)0x400));
    }

    [Fact]
    public void Memory_of_channels()
    {
        long small = SharedQueue.GetMemorySize(8, 4);
        Assert.True(SharedQueue.GetMemorySize(8, 4000) > small + 4000 * 8);
        Assert.True(SharedQueue.GetMemorySize(8, 4, new ChannelOptions { SingleProducerSingleConsumer = true }) < small);
        Assert.True(SharedTopic.GetMemorySize(8, 4, new ChannelOptions { MaxReceivers = 2 }) <
                    SharedTopic.GetMemorySize(8, 4, new ChannelOptions { MaxReceivers = 1000 }));
        Assert.True(SharedLatest.GetMemorySize(1000, new ChannelOptions { MaxPins = 100 }) > 100_000);
        Check.Throws<ArgumentOutOfRangeException>("capacity", () => SharedQueue.GetMemorySize(8, -1));
        ChannelTests.Fails<ArgumentOutOfRangeException>("MMF_E_RANGE", "", () => SharedTopic.GetMemorySize(8, 0));
        using SharedQueue queue = SharedQueue.CreateNew(name, 8, 4, ChannelOverflow.Block);
        Assert.InRange(small, 1, new FileInfo(Find().Path).Length);
    }

    //
    // Waiting for a name.
    //

    private delegate bool Opener(string name, out IDisposable? opened, TimeSpan timeout);

    private static readonly (Func<string, IDisposable> Create, Opener Open)[] kinds =
    [
        (name => MemoryMappedFile.CreateNew(name, 1), (string name, out IDisposable? opened, TimeSpan timeout) =>
        {
            bool found = MemoryMappedFile.TryOpenExisting(name, out MemoryMappedFile? map, timeout);
            opened = map;
            return found;
        }),
        (name => new Mutex(false, name), (string name, out IDisposable? opened, TimeSpan timeout) =>
        {
            bool found = Mutex.TryOpenExisting(name, out Mutex? mutex, timeout);
            opened = mutex;
            return found;
        }),
        (name => new EventWaitHandle(false, EventResetMode.AutoReset, name), (string name, out IDisposable? opened, TimeSpan timeout) =>
        {
            bool found = EventWaitHandle.TryOpenExisting(name, out EventWaitHandle? signal, timeout);
            opened = signal;
            return found;
        }),
        (name => new Semaphore(1, 1, name), (string name, out IDisposable? opened, TimeSpan timeout) =>
        {
            bool found = Semaphore.TryOpenExisting(name, out Semaphore? semaphore, timeout);
            opened = semaphore;
            return found;
        }),
    ];

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_name_is_waited_for(int kind)
    {
        (Func<string, IDisposable> create, Opener open) = kinds[kind];
        var time = Stopwatch.StartNew();

        Assert.False(open(name, out IDisposable? nothing, TimeSpan.FromMilliseconds(50)));
        Assert.Null(nothing);
        Assert.True(time.ElapsedMilliseconds >= 49);
        Task<IDisposable?> waits = Task.Run(() => open(name, out IDisposable? one, Timeout.InfiniteTimeSpan) ? one : null);
        using IDisposable made = create(name);
        Assert.True(waits.Wait(Check.Deadline));
        Assert.NotNull(waits.Result);
        waits.Result.Dispose();
        Assert.True(open(name, out IDisposable? again, TimeSpan.Zero));
        again!.Dispose();
        Check.Throws<ArgumentOutOfRangeException>("timeout", () => open(name, out _, TimeSpan.FromMilliseconds(-2)));
        Check.Throws<ArgumentNullException>(() => open(null!, out _, TimeSpan.Zero));
        Backend.PreferSystem = true;
        Check.Throws<PlatformNotSupportedException>(() => open(name, out _, TimeSpan.Zero));
    }

    [Fact]
    public void TryOpenExisting_of_a_map_has_rights_and_tells_kinds_apart()
    {
        using MemoryMappedFile map = MemoryMappedFile.CreateNew(name, 4096);
        Assert.True(MemoryMappedFile.TryOpenExisting(name, out MemoryMappedFile? found,
                                                     desiredAccessRights: MemoryMappedFileRights.Read));
        Maps.Validate(found, 4096, MemoryMappedFileAccess.Read);
        Check.Throws<UnauthorizedAccessException>(() => found.CreateViewAccessor());
        found.Dispose();
        Check.Throws<ObjectDisposedException>(() => found.CreateViewAccessor());
        using var mutex = new Mutex(false, name + "-mutex");
        Check.ThrowsIO(6, () => MemoryMappedFile.TryOpenExisting(name + "-mutex", out _));
        Assert.False(Semaphore.TryOpenExisting(name + "-mutex", out _, TimeSpan.Zero)); // as .NET's
    }

    //
    // Maps.
    //

    [Fact]
    public void CreateOrOpen_says_which_it_was_and_compares_capacities()
    {
        using (MemoryMappedFile map = MemoryMappedFile.CreateOrOpen(name, 100, out bool createdNew, exactCapacity: true))
        {
            Assert.True(createdNew);
            using MemoryMappedFile second = MemoryMappedFile.CreateOrOpen(name, 100, out createdNew, exactCapacity: true);
            Assert.False(createdNew);
            using MemoryMappedFile third = MemoryMappedFile.CreateOrOpen(name, 200, out createdNew);
            Assert.False(createdNew);
            Maps.Validate(third, 100);
            ChannelTests.Fails<IOException>("MMF_E_MISMATCH", "200",
                                            () => MemoryMappedFile.CreateOrOpen(name, 200, out _, exactCapacity: true));
        }
        using (MemoryMappedFile map = MemoryMappedFile.CreateOrOpen(name, 100, out bool createdNew, access: MemoryMappedFileAccess.Read))
        {
            Assert.True(createdNew);
            Maps.Validate(map, 100, MemoryMappedFileAccess.Read);
            Assert.Equal(MemoryMappedFileAccess.Read, Find().Access);
        }
        Backend.PreferSystem = true;
        Check.Throws<PlatformNotSupportedException>(() => MemoryMappedFile.CreateOrOpen(name, 100, out _));
    }

    private static int StatusOfChild(string test)
    {
        using Process child = Process.Start("/bin/sh", ["-c", test]);
        Assert.True(child.WaitForExit(Check.Deadline));
        return child.ExitCode;
    }

    [Fact]
    public void An_inherited_map_is_taken_over()
    {
        foreach (HandleInheritability inheritability in Enum.GetValues<HandleInheritability>())
        {
            using MemoryMappedFile map = MemoryMappedFile.CreateNew(
                null, 4096, MemoryMappedFileAccess.ReadWrite, MemoryMappedFileOptions.None, inheritability);
            nint number = map.SafeMemoryMappedFileHandle.DangerousGetHandle();
            bool isInherited = inheritability == HandleInheritability.Inheritable;
            Assert.Equal(isInherited ? 0 : 1, StatusOfChild($"[ -e /proc/$$/fd/{number} ]"));
            // What a child does, here with a descriptor of its own.
            using SafeFileHandle copy = Native.Duplicate(new SafeFileHandle(number, false));
            using (MemoryMappedFile taken = MemoryMappedFile.OpenInherited(copy.DangerousGetHandle()))
            {
                copy.SetHandleAsInvalid();
                Maps.Validate(taken, 4096);
                using MemoryMappedViewAccessor mine = map.CreateViewAccessor(), theirs = taken.CreateViewAccessor();
                mine.Write(1, 42);
                Assert.Equal(42, theirs.ReadInt32(1));
            }
            using SafeFileHandle second = Native.Duplicate(new SafeFileHandle(number, false));
            using (MemoryMappedFile taken = MemoryMappedFile.OpenInherited(second.DangerousGetHandle(), MemoryMappedFileRights.Read))
            {
                second.SetHandleAsInvalid();
                Maps.Validate(taken, 4096, MemoryMappedFileAccess.Read);
                Check.Throws<UnauthorizedAccessException>(() => taken.CreateViewAccessor());
            }
        }
        Check.Throws<ObjectDisposedException>(() => MemoryMappedFile.OpenInherited(99999));
        using FileStream file = File.Create(Namespace.NewPath());
        ChannelTests.Fails<IOException>("MMF_E_CORRUPT", "", () => MemoryMappedFile.OpenInherited(file.SafeFileHandle.DangerousGetHandle()));
        Backend.PreferSystem = true;
        Check.Throws<PlatformNotSupportedException>(() => MemoryMappedFile.OpenInherited(3));
    }
}
