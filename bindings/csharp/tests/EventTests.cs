// EventWaitHandle, AutoResetEvent, ManualResetEvent: contract 7.3; EV is .NET's own tests.
using System;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Threading;
using Xunit;

namespace Mmf.Tests;

public class EventTests
{
    [Theory]
    [InlineData(false, EventResetMode.AutoReset)]
    [InlineData(false, EventResetMode.ManualReset)]
    [InlineData(true, EventResetMode.AutoReset)]
    [InlineData(true, EventResetMode.ManualReset)]
    public void EV_01_initial_state(bool state, EventResetMode mode)
    {
        string name = Namespace.NewName();
        using var unnamed = new EventWaitHandle(state, mode);
        using var without = new EventWaitHandle(state, mode, null);
        using var named = new EventWaitHandle(state, mode, name, out bool createdNew);
        Assert.True(createdNew);
        Assert.Equal(state, unnamed.WaitOne(0));
        Assert.Equal(state, without.WaitOne(0));
        Assert.Equal(state, named.WaitOne(0));
        using var again = new EventWaitHandle(!state, mode, name, out createdNew);
        Assert.False(createdNew);
        Assert.Equal(state && mode == EventResetMode.ManualReset, again.WaitOne(0));
    }

    [Fact]
    public void EV_02_no_such_mode()
    {
        Check.Throws<ArgumentException>("mode", () => new EventWaitHandle(true, (EventResetMode)12345));
        Check.Throws<ArgumentException>("mode", () => new EventWaitHandle(true, (EventResetMode)(-1), "Cat"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void EV_07_auto(bool named)
    {
        using EventWaitHandle signal = named
            ? new EventWaitHandle(false, EventResetMode.AutoReset, Namespace.NewName())
            : new AutoResetEvent(false);
        Assert.False(signal.WaitOne(0));
        Assert.False(signal.WaitOne(1));
        Assert.True(signal.Set());
        Assert.True(signal.Set()); // two are one
        Assert.True(signal.WaitOne(0));
        Assert.False(signal.WaitOne(0));
        Assert.True(signal.Set());
        Assert.True(signal.Reset());
        Assert.False(signal.WaitOne(0));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void EV_08_manual(bool named)
    {
        using EventWaitHandle signal = named
            ? new EventWaitHandle(false, EventResetMode.ManualReset, Namespace.NewName())
            : new ManualResetEvent(false);
        Assert.False(signal.WaitOne(0));
        Assert.True(signal.Set());
        Assert.True(signal.WaitOne());
        Assert.True(signal.WaitOne());
        Assert.True(signal.Reset());
        Assert.False(signal.WaitOne(0));
        Assert.False(signal.WaitOne(1));
    }

    [Fact]
    public void EV_09_opening()
    {
        string name = Namespace.NewName();
        Check.Throws<ArgumentNullException>("name", () => EventWaitHandle.OpenExisting(null!));
        Check.Throws<ArgumentException>("name", () => EventWaitHandle.OpenExisting(""));
        Check.Throws<ArgumentNullException>("name", () => EventWaitHandle.TryOpenExisting(null!, out _));
        Check.Throws<WaitHandleCannotBeOpenedException>(() => EventWaitHandle.OpenExisting(name));
        Assert.False(EventWaitHandle.TryOpenExisting(name, out EventWaitHandle? none));
        Assert.Null(none);
        using (var first = new EventWaitHandle(false, EventResetMode.AutoReset, name))
        {
            using EventWaitHandle second = EventWaitHandle.OpenExisting(name);
            first.Set();
            Assert.True(second.WaitOne(0));
            Assert.False(first.WaitOne(0));
            second.Set();
            Assert.True(first.WaitOne(0));
            Assert.True(EventWaitHandle.TryOpenExisting(name, out EventWaitHandle? third));
            third.Dispose();
        }
        Check.Throws<WaitHandleCannotBeOpenedException>(() => EventWaitHandle.OpenExisting(name));
    }

    [Fact]
    public void EV_13_names_of_other_kinds()
    {
        string name = Namespace.NewName();
        using var mutex = new Mutex(false, name);
        Check.Throws<WaitHandleCannotBeOpenedException>(
            () => new EventWaitHandle(false, EventResetMode.AutoReset, name));
        Check.Throws<WaitHandleCannotBeOpenedException>(() => EventWaitHandle.OpenExisting(name));
        Assert.False(EventWaitHandle.TryOpenExisting(name, out _));
        Check.Throws<DirectoryNotFoundException>(() => EventWaitHandle.OpenExisting(@"a\b"));
    }

    [Fact]
    public void EV_25_ping_pong()
    {
        using var ping = new EventWaitHandle(false, EventResetMode.AutoReset, Namespace.NewName());
        using var pong = new AutoResetEvent(false);
        var other = new Thread(() =>
        {
            for (int i = 0; i < 1000 && ping.WaitOne(Check.Deadline); i++)
                pong.Set();
        });
        other.Start();
        for (int i = 0; i < 1000; i++)
        {
            ping.Set();
            Assert.True(pong.WaitOne(Check.Deadline));
        }
        Assert.True(other.Join(Check.Deadline));
    }

    [Fact]
    public void EV_30_after_dispose()
    {
        var signal = new ManualResetEvent(true);
        signal.Dispose();
        Check.Throws<ObjectDisposedException>(() => signal.Set());
        Check.Throws<ObjectDisposedException>(() => signal.Reset());
        Check.Throws<ObjectDisposedException>(() => signal.WaitOne());
    }
}

// Semaphore: contract 7.4.
public class SemaphoreTests
{
    [Fact]
    public void Counts_out_of_range()
    {
        string name = Namespace.NewName();
        Check.Throws<ArgumentOutOfRangeException>("initialCount", () => new Semaphore(-1, 0));
        Check.Throws<ArgumentOutOfRangeException>("maximumCount", () => new Semaphore(0, 0, name));
        Check.Throws<ArgumentException>(null, () => new Semaphore(2, 1, name, out _));
    }

    [Fact]
    public void Counts()
    {
        using var semaphore = new Semaphore(0, 7, Namespace.NewName(), out bool createdNew);
        Assert.True(createdNew);
        Assert.False(semaphore.WaitOne(0));
        Assert.Equal(0, semaphore.Release());
        Assert.Equal(1, semaphore.Release(3));
        for (int i = 0; i < 4; i++)
            Assert.True(semaphore.WaitOne(0));
        Assert.False(semaphore.WaitOne(0));
        Check.Throws<ArgumentOutOfRangeException>("releaseCount", () => semaphore.Release(0));
        Check.Throws<ArgumentOutOfRangeException>("releaseCount", () => semaphore.Release(-1));
        Check.Throws<SemaphoreFullException>(() => semaphore.Release(8));
        Assert.Equal(0, semaphore.Release(7));
        Check.Throws<SemaphoreFullException>(() => semaphore.Release());
    }

    [Fact]
    public void The_largest()
    {
        using var semaphore = new Semaphore(0, int.MaxValue);
        Assert.Equal(0, semaphore.Release(int.MaxValue));
        Check.Throws<SemaphoreFullException>(() => semaphore.Release(int.MaxValue));
    }

    [Fact]
    public void Opening()
    {
        string name = Namespace.NewName();
        Check.Throws<ArgumentNullException>("name", () => Semaphore.OpenExisting(null!));
        Check.Throws<ArgumentException>("name", () => Semaphore.OpenExisting(""));
        Check.Throws<WaitHandleCannotBeOpenedException>(() => Semaphore.OpenExisting(name));
        Assert.False(Semaphore.TryOpenExisting(name, out Semaphore? none));
        Assert.Null(none);
        using (var first = new Semaphore(1, 1, name))
        {
            using Semaphore second = Semaphore.OpenExisting(name);
            Assert.True(second.WaitOne(0));
            Assert.False(first.WaitOne(0));
            using var third = new Semaphore(5, 9, name, out bool createdNew); // the first counts hold
            Assert.False(createdNew);
            Assert.Equal(0, third.Release());
            Check.Throws<SemaphoreFullException>(() => third.Release());
            Assert.True(Semaphore.TryOpenExisting(name, out Semaphore? fourth));
            fourth.Dispose();
        }
        Assert.False(Semaphore.TryOpenExisting(name, out _));
    }

    [Fact]
    public void Names_of_other_kinds_and_invalid_ones()
    {
        string name = Namespace.NewName();
        using var mutex = new Mutex(false, name);
        Check.Throws<WaitHandleCannotBeOpenedException>(() => new Semaphore(1, 1, name));
        Check.Throws<WaitHandleCannotBeOpenedException>(() => Semaphore.OpenExisting(name));
        Assert.False(Semaphore.TryOpenExisting(name, out _));
        Check.ThrowsIO(3, () => Semaphore.OpenExisting(@"a\b")); // an I/O error here, as on Windows
        Assert.False(Semaphore.TryOpenExisting(@"a\b", out _));
    }

    [Fact]
    public void After_dispose()
    {
        var semaphore = new Semaphore(1, 1);
        semaphore.Dispose();
        Check.Throws<ObjectDisposedException>(() => semaphore.Release());
        Check.Throws<ObjectDisposedException>(() => semaphore.WaitOne(0));
    }
}

// NamedWaitHandleOptions: contract 7.5.
public class OptionsTests
{
    private static readonly NamedWaitHandleOptions Mine = default;
    private static readonly NamedWaitHandleOptions MineEverywhere = new() { CurrentSessionOnly = false };
    private static readonly NamedWaitHandleOptions Everybodys =
        new() { CurrentSessionOnly = false, CurrentUserOnly = false };

    [Fact]
    public void Defaults()
    {
        Assert.True(Mine.CurrentUserOnly);
        Assert.True(Mine.CurrentSessionOnly);
    }

    [Fact]
    public void Every_overload()
    {
        string name = Namespace.NewName();
        using (var mutex = new Mutex(name, Mine))
        using (var second = new Mutex(true, name, Mine))
        using (var third = new Mutex(true, name, Mine, out bool createdNew))
        {
            Assert.False(createdNew);
            Mutex.OpenExisting(name, Mine).Dispose();
            Assert.True(Mutex.TryOpenExisting(name, Mine, out Mutex? tried));
            tried.Dispose();
            Assert.True(mutex.WaitOne(0));
        }
        using (var signal = new EventWaitHandle(true, EventResetMode.ManualReset, name, Mine))
        using (var second = new EventWaitHandle(false, EventResetMode.ManualReset, name, Mine, out bool createdNew))
        {
            Assert.False(createdNew);
            EventWaitHandle.OpenExisting(name, Mine).Dispose();
            Assert.True(EventWaitHandle.TryOpenExisting(name, Mine, out EventWaitHandle? tried));
            tried.Dispose();
            Assert.True(second.WaitOne(0));
        }
        using (var semaphore = new Semaphore(1, 1, name, Mine))
        using (var second = new Semaphore(0, 1, name, Mine, out bool createdNew))
        {
            Assert.False(createdNew);
            Semaphore.OpenExisting(name, Mine).Dispose();
            Assert.True(Semaphore.TryOpenExisting(name, Mine, out Semaphore? tried));
            tried.Dispose();
            Assert.True(second.WaitOne(0));
        }
    }

    [Fact]
    public void Prefixes_must_agree()
    {
        string name = Namespace.NewName();
        using var mutex = new Mutex(@"Local\" + name, Mine);
        Mutex.OpenExisting(name).Dispose();
        Check.Throws<ArgumentException>("name", () => new Mutex(@"Global\" + name, Mine));
        Check.Throws<ArgumentException>("name", () => new Mutex(@"Local\" + name, Everybodys));
        Check.Throws<ArgumentException>("name", () => new Mutex(@"Other\" + name, Mine));
        Assert.False(Mutex.TryOpenExisting(name, MineEverywhere, out _));
        using var everywhere = new Mutex(true, name, Everybodys, out bool createdNew);
        Assert.True(createdNew);
        Mutex.OpenExisting(@"Global\" + name).Dispose();
    }

    // Of each kind: a constructor, and TryOpenExisting.
    public static TheoryData<Func<string, NamedWaitHandleOptions, WaitHandle>, Func<string, NamedWaitHandleOptions, WaitHandle>,
                             Func<string, NamedWaitHandleOptions, WaitHandle?>> Kinds => new()
    {
        { (name, options) => new Mutex(name, options), Mutex.OpenExisting,
          (name, options) => Mutex.TryOpenExisting(name, options, out Mutex? found) ? found : null },
        { (name, options) => new EventWaitHandle(false, EventResetMode.AutoReset, name, options), EventWaitHandle.OpenExisting,
          (name, options) => EventWaitHandle.TryOpenExisting(name, options, out EventWaitHandle? found) ? found : null },
        { (name, options) => new Semaphore(1, 1, name, options), Semaphore.OpenExisting,
          (name, options) => Semaphore.TryOpenExisting(name, options, out Semaphore? found) ? found : null },
    };

    // One name has one object; but who asks for this user's alone gets no other.
    [Theory]
    [MemberData(nameof(Kinds))]
    public void Current_user_only(Func<string, NamedWaitHandleOptions, WaitHandle> create,
                                  Func<string, NamedWaitHandleOptions, WaitHandle> open,
                                  Func<string, NamedWaitHandleOptions, WaitHandle?> tryOpen)
    {
        foreach (bool session in new[] { false, true })
        {
            string name = Guid.NewGuid().ToString("N");
            var mine = new NamedWaitHandleOptions { CurrentSessionOnly = session };
            var everybodys = new NamedWaitHandleOptions { CurrentSessionOnly = session, CurrentUserOnly = false };

            using (create(name, everybodys))
            {
                Check.Throws<WaitHandleCannotBeOpenedException>(() => create(name, mine));
                Check.Throws<WaitHandleCannotBeOpenedException>(() => open(name, mine));
                Assert.Null(tryOpen(name, mine));
                open(name, everybodys).Dispose();
            }
            using (create(name, mine))
            {
                create(name, mine).Dispose();
                create(name, everybodys).Dispose();
                open(name, mine).Dispose();
                open(name, everybodys).Dispose();
                tryOpen(name, mine)!.Dispose();
                tryOpen(name, everybodys)!.Dispose();
                Assert.Equal(1, Namespace.FilesNamed(name));
            }
        }
    }
}
