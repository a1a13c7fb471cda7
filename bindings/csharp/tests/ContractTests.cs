// What .NET's own tests of several ages found, and what mmf has beside .NET.
using System;
using System.IO;
using System.Threading;
using Microsoft.Win32.SafeHandles;
using Xunit;
using SystemThreading = System.Threading;

namespace Mmf.Tests;

public class ContractTests
{
    [Fact]
    public void A_map_opened_to_write_has_views_that_read_and_write()
    {
        string name = Namespace.NewName();
        using MemoryMappedFile first = MemoryMappedFile.CreateNew(name, 4096);
        using MemoryMappedFile byAccess = MemoryMappedFile.CreateOrOpen(name, 4096, MemoryMappedFileAccess.Write);
        using MemoryMappedFile byRights = MemoryMappedFile.OpenExisting(name, MemoryMappedFileRights.Write);

        foreach (MemoryMappedFile map in new[] { byAccess, byRights })
        {
            using (MemoryMappedViewAccessor view = map.CreateViewAccessor())
                view.Write(8, view.ReadInt32(8) + 1);
            Assert.Throws<UnauthorizedAccessException>(
                () => map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read));
        }
        using MemoryMappedViewAccessor all = first.CreateViewAccessor();
        Assert.Equal(2, all.ReadInt32(8));
    }

    [Fact]
    public void The_rest_past_the_end_is_out_of_range()
    {
        using MemoryMappedFile map = MemoryMappedFile.CreateNew(null, 8192);

        Assert.Throws<ArgumentOutOfRangeException>("offset", () => map.CreateViewAccessor(8193, 0));
        Assert.Throws<ArgumentOutOfRangeException>("offset", () => map.CreateViewStream(65535, 0));
        Assert.Throws<UnauthorizedAccessException>(() => map.CreateViewAccessor(8193, 1));
        Assert.Throws<UnauthorizedAccessException>(() => map.CreateViewAccessor(65536, 0));
        using MemoryMappedViewAccessor empty = map.CreateViewAccessor(8192, 0);
        Assert.Equal(0, empty.Capacity);
    }

    [Fact]
    public void WaitAll_of_one_object_twice()
    {
        string name = Namespace.NewName();
        using var a = new Mutex(false, name);
        using var b = new Mutex(false, name);

        var twice = Assert.Throws<ArgumentException>(() => WaitHandle.WaitAll(new WaitHandle[] { a, b }));
        Assert.Null(twice.ParamName);
        Assert.Contains("two handles", twice.Message, StringComparison.Ordinal);
        Assert.Throws<DuplicateWaitObjectException>("waitHandles", () => WaitHandle.WaitAll(new WaitHandle[] { a, a }));
        Assert.Equal(0, WaitHandle.WaitAny(new WaitHandle[] { a, b }));
        a.ReleaseMutex();
    }

    private sealed class Pump : SynchronizationContext
    {
        internal int Waits;
        internal Action Work = () => { };

        internal Pump() => SetWaitNotificationRequired();

        public override int Wait(nint[] waitHandles, bool waitAll, int millisecondsTimeout)
        {
            Waits++;
            Work();
            return base.Wait(waitHandles, waitAll, millisecondsTimeout);
        }
    }

    // On a thread of its own: the context stays with it.
    private static void WithPump(Action<Pump> test)
    {
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            var pump = new Pump();
            SynchronizationContext.SetSynchronizationContext(pump);
            failure = Record.Exception(() => test(pump));
        });
        thread.Start();
        Assert.True(thread.Join(Check.Deadline));
        Assert.Null(failure);
    }

    [Fact]
    public void A_context_is_notified_of_waits() => WithPump(pump =>
    {
        using var signal = new AutoResetEvent(false);
        using var other = new Semaphore(1, 1, Namespace.NewName());
        var both = new WaitHandle[] { signal, other };

        Assert.False(signal.WaitOne(0));
        Assert.Equal(1, pump.Waits);
        Assert.False(signal.WaitOne(30));
        Assert.True(pump.Waits > 1);
        // What the context does meanwhile ends the wait.
        pump.Work = () => signal.Set();
        Assert.True(signal.WaitOne());
        pump.Work = () => { };
        Assert.Equal(1, WaitHandle.WaitAny(both));
        Assert.Equal(WaitHandle.WaitTimeout, WaitHandle.WaitAny(both, 0));
        pump.Work = () =>
        {
            pump.Work = () => { };
            signal.Set();
            other.Release();
        };
        Assert.True(WaitHandle.WaitAll(both));
        Assert.False(WaitHandle.WaitAll(both, 10));
        // A mutex is still this thread's.
        using var mutex = new Mutex(false, Namespace.NewName());
        Assert.True(mutex.WaitOne());
        mutex.ReleaseMutex();
    });

    [Fact]
    public void A_cast_makes_ours_of_dotnets()
    {
        using var slim = new ManualResetEventSlim();
        using var manual = (ManualResetEvent)slim.WaitHandle;
        using var auto = (AutoResetEvent)new SystemThreading.AutoResetEvent(true);
        using var some = (EventWaitHandle)new SystemThreading.AutoResetEvent(false);
        using var mutex = (Mutex)new SystemThreading.Mutex();
        using var semaphore = (Semaphore)new SystemThreading.Semaphore(1, 3);

        slim.Set();
        Assert.True(manual.WaitOne(0));
        Assert.True(auto.WaitOne(0));
        Assert.False(auto.WaitOne(0));
        Assert.True(some.Set());
        Assert.True(some.WaitOne(0));
        Assert.True(mutex.WaitOne(0));
        mutex.ReleaseMutex();
        Assert.Equal(1, semaphore.Release(2));
        Assert.Throws<InvalidCastException>(() => (Mutex)new SystemThreading.AutoResetEvent(true));
        Assert.Null((Mutex?)(SystemThreading.WaitHandle?)null);
    }

    [Fact]
    public void Two_maps_of_one_stream_do_not_keep_it_open()
    {
        string path = Namespace.NewPath();
        File.WriteAllBytes(path, new byte[4096]);
        var stream = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        SafeFileHandle handle = stream.SafeFileHandle;
        using MemoryMappedFile first = MemoryMappedFile.CreateFromFile(
            stream, null, 4096, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, false);
        MemoryMappedFile second = MemoryMappedFile.CreateFromFile(
            stream, null, 4096, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, false);

        second.Dispose();
        Assert.True(handle.IsClosed);
        Assert.False(stream.CanRead);
        using MemoryMappedViewAccessor view = first.CreateViewAccessor();
        view.Write(0, 42);
        view.Flush();
        Assert.Equal(42, File.ReadAllBytes(path)[0]);
    }

    private const UnixFileMode ForTheGroup = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead |
                                             UnixFileMode.GroupWrite;

    private static UnixFileMode ModeOf(string name)
    {
        foreach (string file in Directory.EnumerateFiles(Namespace.Directory, "*", SearchOption.AllDirectories))
        {
            if (Path.GetFileName(file).Contains(name, StringComparison.Ordinal))
                return File.GetUnixFileMode(file);
        }
        throw new FileNotFoundException(name);
    }

    [Fact]
    public void A_mode_lets_other_users_in()
    {
        string name = Guid.NewGuid().ToString("N");
        using MemoryMappedFile map = MemoryMappedFile.CreateNew(
            $@"Global\{name}-map", 4096, MemoryMappedFileAccess.ReadWrite, MemoryMappedFileOptions.None,
            HandleInheritability.None, ForTheGroup);
        using MemoryMappedFile second = MemoryMappedFile.CreateOrOpen(
            $@"Global\{name}-or", 4096, out _, unixCreateMode: ForTheGroup | UnixFileMode.OtherRead);
        using var mutex = new Mutex(false, $@"Global\{name}-mutex", out bool created, ForTheGroup);
        using var signal = new EventWaitHandle(false, EventResetMode.AutoReset, $@"Global\{name}-event", out _, ForTheGroup);
        using var semaphore = new Semaphore(1, 1, $@"Global\{name}-semaphore", out _, ForTheGroup);

        Assert.True(created);
        foreach (string kind in new[] { "map", "mutex", "event", "semaphore" })
            Assert.Equal(ForTheGroup, ModeOf($"{name}-{kind}"));
        Assert.Equal(ForTheGroup | UnixFileMode.OtherRead, ModeOf($"{name}-or"));
        foreach (UnixFileMode wrong in new[] { UnixFileMode.None, UnixFileMode.SetUser | ForTheGroup })
        {
            Assert.Throws<ArgumentException>("unixCreateMode", () => new Mutex(false, name, out _, wrong));
            Assert.Throws<ArgumentException>("unixCreateMode", () => MemoryMappedFile.CreateNew(
                name, 4096, MemoryMappedFileAccess.ReadWrite, MemoryMappedFileOptions.None, HandleInheritability.None, wrong));
        }
    }

    // The closing thread has used no mutex before.
    [Fact]
    public void The_last_handle_of_another_threads_mutex_may_be_closed_by_a_new_thread()
    {
        foreach (string? name in new[] { null, Namespace.NewName() })
        {
            using var isOwned = new ManualResetEventSlim();
            using var end = new ManualResetEventSlim();
            Mutex? mutex = null;
            var owner = new Thread(() =>
            {
                mutex = new Mutex(true, name);
                isOwned.Set();
                end.Wait();
            });
            owner.Start();
            isOwned.Wait();
            var closer = new Thread(() => mutex!.Dispose());
            closer.Start();
            bool hasClosed = closer.Join(Check.Deadline);
            end.Set();
            Assert.True(hasClosed);
            Assert.True(owner.Join(Check.Deadline));
        }
    }
}
