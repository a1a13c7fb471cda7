// Mutex: contract 2.10, 7.1, 7.2, 7.5.
using System;
using System.IO;
using System.Runtime.CompilerServices;
using System.Threading;
using Xunit;

namespace Mmf.Tests;

public class MutexTests
{
    [Fact]
    public void Unnamed_ones()
    {
        using var free = new Mutex();
        using var owned = new Mutex(true);
        using var empty = new Mutex(false, "");
        using var none = new Mutex(false, null, out bool createdNew);
        Assert.True(createdNew);
        Check.Throws<ApplicationException>(() => free.ReleaseMutex());
        owned.ReleaseMutex();
        Check.Throws<ApplicationException>(() => owned.ReleaseMutex());
        Assert.True(empty.WaitOne());
        Check.InThread(() => Assert.True(none.WaitOne(0)));
    }

    [Fact]
    public void Is_taken_as_often_as_released()
    {
        using var mutex = new Mutex(true, Namespace.NewName());
        Assert.True(mutex.WaitOne(0));
        Assert.True(mutex.WaitOne(TimeSpan.Zero));
        Assert.True(mutex.WaitOne(0, true));
        Assert.True(mutex.WaitOne(TimeSpan.FromSeconds(1), false));
        for (int i = 0; i < 5; i++)
        {
            Check.InThread(() => Assert.False(mutex.WaitOne(0)));
            mutex.ReleaseMutex();
        }
        Check.Throws<ApplicationException>(() => mutex.ReleaseMutex());
        Check.InThread(() =>
        {
            Assert.True(mutex.WaitOne());
            mutex.ReleaseMutex();
        });
    }

    [Fact]
    public void Created_or_opened()
    {
        string name = Namespace.NewName();
        using (var first = new Mutex(true, name, out bool createdNew))
        {
            Assert.True(createdNew);
            using var second = new Mutex(true, name, out createdNew);
            Assert.False(createdNew);
            first.ReleaseMutex();
            Check.Throws<ApplicationException>(() => second.ReleaseMutex());
        }
        using (new Mutex(false, name, out bool createdNew))
            Assert.True(createdNew);
    }

    [Fact]
    public void Opening()
    {
        string name = Namespace.NewName();
        Check.Throws<ArgumentNullException>("name", () => Mutex.OpenExisting(null!));
        Check.Throws<ArgumentException>("name", () => Mutex.OpenExisting(""));
        Check.Throws<ArgumentNullException>("name", () => Mutex.TryOpenExisting(null!, out _));
        Check.Throws<ArgumentException>("name", () => Mutex.TryOpenExisting("", out _));
        Check.Throws<WaitHandleCannotBeOpenedException>(() => Mutex.OpenExisting(name));
        Assert.False(Mutex.TryOpenExisting(name, out Mutex? none));
        Assert.Null(none);
        using (var mutex = new Mutex(false, name))
        {
            using Mutex opened = Mutex.OpenExisting(name);
            Assert.True(Mutex.TryOpenExisting(name, out Mutex? tried));
            using (tried)
            {
                Assert.True(tried.WaitOne());
                Check.InThread(() => Assert.False(mutex.WaitOne(0)));
                opened.ReleaseMutex(); // it belongs to the thread
            }
        }
        Check.Throws<WaitHandleCannotBeOpenedException>(() => Mutex.OpenExisting(name));
    }

    [Fact]
    public void Names_of_other_kinds_and_invalid_ones()
    {
        string name = Namespace.NewName();
        using MemoryMappedFile map = MemoryMappedFile.CreateNew(name, 1);
        Check.Throws<WaitHandleCannotBeOpenedException>(() => new Mutex(false, name));
        Check.Throws<WaitHandleCannotBeOpenedException>(() => Mutex.OpenExisting(name));
        Assert.False(Mutex.TryOpenExisting(name, out _));
        Check.Throws<DirectoryNotFoundException>(() => new Mutex(false, @"no\such"));
        Check.Throws<DirectoryNotFoundException>(() => Mutex.OpenExisting(@"no\such"));
        Assert.False(Mutex.TryOpenExisting(@"no\such", out _));
        Check.Throws<PathTooLongException>(() => new Mutex(false, new string('x', 4000)));
    }

    [Fact]
    public void Long_names()
    {
        string name = Guid.NewGuid().ToString("N") + new string('a', 1000);
        using var mutex = new Mutex(false, name, out bool createdNew);
        Assert.True(createdNew);
        Mutex.OpenExisting(name).Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_thread_that_ends_abandons_what_it_owns(bool named)
    {
        using var mutex = new Mutex(false, named ? Namespace.NewName() : null);
        Check.InThread(() => Assert.True(mutex.WaitOne(0)));
        AbandonedMutexException exception =
            Check.Throws<AbandonedMutexException>(() => mutex.WaitOne(Check.Deadline));
        Assert.Equal(-1, exception.MutexIndex);
        Assert.Null(exception.Mutex);
        mutex.ReleaseMutex(); // it was ours nevertheless
        Assert.True(mutex.WaitOne(0));
        mutex.ReleaseMutex();
    }

    // Join comes back before the thread has ended in the kernel.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_mutex_is_abandoned_when_Join_has_come_back(bool named)
    {
        using var set = new ManualResetEvent(true);
        using var mutex = new Mutex(false, named ? Namespace.NewName() : null);
        var waits = new Action[]
        {
            () => mutex.WaitOne(0),
            () => mutex.WaitOne(1),
            () => WaitHandle.WaitAny([mutex, set]),
            () => WaitHandle.WaitAny([mutex], 0),
            () => WaitHandle.WaitAll([set, mutex], 0),
            () => WaitHandle.SignalAndWait(set, mutex, 0, false),
        };
        for (int round = 0; round < 1000; round++)
        {
            Check.InThread(() => mutex.WaitOne());
            Check.Throws<AbandonedMutexException>(waits[round % waits.Length]);
            mutex.ReleaseMutex();
        }
    }

    [Fact]
    public void Abandoned_is_caught_as_dotnets_exception_too()
    {
        using var mutex = new Mutex();
        Check.InThread(() => mutex.WaitOne());
        try
        {
            mutex.WaitOne(Check.Deadline);
            Assert.Fail("it was not abandoned");
        }
        catch (System.Threading.AbandonedMutexException)
        {
            mutex.ReleaseMutex();
        }
    }

    [Fact]
    public void After_dispose()
    {
        var mutex = new Mutex(true, Namespace.NewName());
        SafeWaitHandle handle = mutex.SafeWaitHandle;
        Assert.False(handle.IsClosed);
        Assert.False(handle.IsInvalid);
        mutex.Dispose();
        mutex.Close();
        Assert.True(handle.IsClosed);
        Check.Throws<ObjectDisposedException>(() => mutex.ReleaseMutex());
        Check.Throws<ObjectDisposedException>(() => mutex.WaitOne());
        Check.Throws<ObjectDisposedException>(() => mutex.WaitOne(0));
    }

    [Fact]
    public void Timeouts_out_of_range()
    {
        using var mutex = new Mutex();
        Check.Throws<ArgumentOutOfRangeException>("millisecondsTimeout", () => mutex.WaitOne(-2));
        Check.Throws<ArgumentOutOfRangeException>("timeout", () => mutex.WaitOne(TimeSpan.FromMilliseconds(-2)));
        Check.Throws<ArgumentOutOfRangeException>(
            "timeout", () => mutex.WaitOne(TimeSpan.FromMilliseconds(int.MaxValue + 1L)));
        Assert.True(mutex.WaitOne(TimeSpan.FromMilliseconds(-1.5))); // truncated to -1: forever
        Assert.True(mutex.WaitOne(TimeSpan.FromMilliseconds(int.MaxValue)));
    }

    // Many threads, many handles; what the mutex guards is never seen half done.
    [Fact]
    public void Excludes()
    {
        string name = Namespace.NewName();
        int inside = 0, count = 0;
        var threads = new Thread[4];
        for (int t = 0; t < threads.Length; t++)
        {
            threads[t] = new Thread(() =>
            {
                for (int i = 0; i < 500; i++)
                {
                    using var mutex = new Mutex(false, name);
                    mutex.WaitOne();
                    Assert.Equal(1, Interlocked.Increment(ref inside));
                    count++;
                    Interlocked.Decrement(ref inside);
                    mutex.ReleaseMutex();
                }
            });
            threads[t].Start();
        }
        foreach (Thread thread in threads)
            Assert.True(thread.Join(Check.Deadline));
        Assert.Equal(2000, count);
    }

    // A wait holds its handle: the object is closed when the wait ends, not under it. Dispose may
    // also come before the wait begins, which is refused then.
    [Fact]
    public void Dispose_during_a_wait()
    {
        for (int round = 0; round < 100; round++)
        {
            string name = Namespace.NewName();
            using var mutex = new Mutex(true, name);
            Mutex other = Mutex.OpenExisting(name);
            using var start = new Barrier(2);
            int answers = 0;
            var waiter = new Thread(() =>
            {
                start.SignalAndWait();
                try
                {
                    if (other.WaitOne(Check.Deadline))
                        Interlocked.Increment(ref answers);
                }
                catch (ObjectDisposedException)
                {
                    Interlocked.Increment(ref answers);
                }
            });
            waiter.Start();
            start.SignalAndWait();
            if (round % 2 == 0)
                Thread.SpinWait(round * 100);
            other.Dispose();
            mutex.ReleaseMutex();
            Assert.True(waiter.Join(Check.Deadline));
            Assert.Equal(1, answers);
        }
    }

    // The thread that disposes is new: it has used no mutex before.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_new_thread_disposes_what_another_owns(bool named)
    {
        for (int round = 0; round < 100; round++)
        {
            var mutex = new Mutex(true, named ? Namespace.NewName() : null);
            Check.InThread(mutex.Dispose);
        }
    }

    // So does the finalizer's.
    [Fact]
    public void What_is_owned_and_dropped_is_collected()
    {
        string name = Namespace.NewName();
        for (int i = 0; i < 100; i++)
        {
            DropOwned(i % 2 == 0 ? null : name + i);
            GC.Collect();
        }
        Check.InThread(() =>
        {
            GC.WaitForPendingFinalizers();
            new Mutex(true).Dispose();
        });
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void DropOwned(string? name) => GC.KeepAlive(new Mutex(true, name));
}
