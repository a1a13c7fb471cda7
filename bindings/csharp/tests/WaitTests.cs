// WaitAny, WaitAll, SignalAndWait: contract 2.10, 7.1; and together with .NET's own handles.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Xunit;

namespace Mmf.Tests;

public class WaitTests
{
    private static IEnumerable<Func<WaitHandle[], int>> Any()
    {
        yield return handles => WaitHandle.WaitAny(handles);
        yield return handles => WaitHandle.WaitAny(handles, 0);
        yield return handles => WaitHandle.WaitAny(handles, TimeSpan.Zero);
        yield return handles => WaitHandle.WaitAny(handles, 0, false);
        yield return handles => WaitHandle.WaitAny(handles, TimeSpan.Zero, true);
    }

    private static IEnumerable<Func<WaitHandle[], bool>> All()
    {
        yield return handles => WaitHandle.WaitAll(handles);
        yield return handles => WaitHandle.WaitAll(handles, 0);
        yield return handles => WaitHandle.WaitAll(handles, TimeSpan.Zero);
        yield return handles => WaitHandle.WaitAll(handles, 0, false);
        yield return handles => WaitHandle.WaitAll(handles, TimeSpan.Zero, true);
    }

    private static void Both(Action<Action<WaitHandle[]>> check)
    {
        foreach (var any in Any())
            check(handles => any(handles));
        foreach (var all in All())
            check(handles => all(handles));
    }

    [Fact]
    public void Arguments()
    {
        var closed = new AutoResetEvent(true);
        using var open = new AutoResetEvent(true);
        closed.Dispose();
        Both(wait =>
        {
            Check.Throws<ArgumentNullException>("waitHandles", () => wait(null!));
            Check.Throws<ArgumentException>("waitHandles", () => wait([]));
            Check.Throws<NotSupportedException>(() => wait(Enumerable.Repeat<WaitHandle>(open, 65).ToArray()));
            Check.Throws<ArgumentNullException>("waitHandles[1]", () => wait([open, null!]));
            Check.Throws<ObjectDisposedException>(() => wait([open, closed]));
        });
        Assert.True(open.WaitOne(0)); // nothing was taken
        Check.Throws<ArgumentOutOfRangeException>("millisecondsTimeout", () => WaitHandle.WaitAny([open], -2));
        Check.Throws<ArgumentOutOfRangeException>("millisecondsTimeout", () => WaitHandle.WaitAll([open], -2));
        Check.Throws<ArgumentOutOfRangeException>(
            "timeout", () => WaitHandle.WaitAll([open], TimeSpan.FromMilliseconds(-2)));
        Check.Throws<ArgumentNullException>("waitHandles", () => WaitHandle.WaitAny(null!, -2));
        Check.Throws<ArgumentOutOfRangeException>("millisecondsTimeout", () => WaitHandle.WaitAny([null!], -2));
    }

    // Named and unnamed, of each kind, in one wait: what .NET cannot do on Linux.
    private static WaitHandle[] Mixture() =>
    [
        new Mutex(false, Namespace.NewName()), new AutoResetEvent(true),
        new EventWaitHandle(true, EventResetMode.ManualReset, Namespace.NewName()),
        new Semaphore(1, 1, Namespace.NewName()), new Mutex(),
    ];

    [Fact]
    public void The_lowest_that_is_available()
    {
        foreach (var any in Any())
        {
            WaitHandle[] handles = Mixture();
            Check.InThread(() => // the mutexes are its own then
            {
                Assert.Equal(0, any(handles));
                Assert.Equal(0, any(handles)); // again, by its owner
                Assert.Equal(0, any(handles[1..]));
                Assert.Equal(1, any(handles[1..]));
                Assert.Equal(1, any(handles[1..])); // the manual one stays
                ((EventWaitHandle)handles[2]).Reset();
                Assert.Equal(2, any(handles[1..]));
                Assert.Equal(3, any(handles[1..])); // the last mutex
            });
            Array.ForEach(handles, handle => handle.Dispose());
        }
    }

    [Fact]
    public void All_or_none()
    {
        foreach (var all in All())
        {
            WaitHandle[] handles = Mixture();
            Assert.True(all(handles));
            Assert.False(handles[1].WaitOne(0));
            Assert.False(handles[3].WaitOne(0));
            ((Semaphore)handles[3]).Release();
            Assert.False(WaitHandle.WaitAll(handles, 0));
            Assert.True(handles[3].WaitOne(0)); // was not taken
            Array.ForEach(handles, handle => handle.Dispose());
        }
    }

    [Fact]
    public void Twice_the_same_object()
    {
        string name = Namespace.NewName();
        using var signal = new EventWaitHandle(true, EventResetMode.ManualReset, name);
        using EventWaitHandle second = EventWaitHandle.OpenExisting(name);
        Assert.Equal(0, WaitHandle.WaitAny([signal, signal]));
        Check.Throws<DuplicateWaitObjectException>("waitHandles", () => WaitHandle.WaitAll([signal, signal]));
        Check.Throws<ArgumentException>(null, () => WaitHandle.WaitAll([signal, second]));
    }

    [Fact]
    public void EV_23_wakes_when_the_last_is_set()
    {
        AutoResetEvent[] events = Enumerable.Range(0, 10).Select(_ => new AutoResetEvent(false)).ToArray();
        bool done = false;
        var waiter = new Thread(() => Volatile.Write(ref done, WaitHandle.WaitAll(events, Check.Deadline)));
        waiter.Start();
        foreach (AutoResetEvent signal in events)
        {
            Assert.False(Volatile.Read(ref done));
            signal.Set();
        }
        Assert.True(waiter.Join(Check.Deadline));
        Assert.True(done);
        Assert.False(WaitHandle.WaitAll(events, 0));
    }

    [Fact]
    public void EV_24_wakes_when_one_is_set()
    {
        AutoResetEvent[] events = Enumerable.Range(0, 10).Select(_ => new AutoResetEvent(false)).ToArray();
        int index = -1;
        var waiter = new Thread(() => index = WaitHandle.WaitAny(events, Check.Deadline));
        waiter.Start();
        events[5].Set();
        Assert.True(waiter.Join(Check.Deadline));
        Assert.Equal(5, index);
        Assert.Equal(WaitHandle.WaitTimeout, WaitHandle.WaitAny(events, 0));
        Assert.Equal(258, WaitHandle.WaitTimeout);
    }

    [Fact]
    public void Abandoned()
    {
        using var never = new AutoResetEvent(false);
        using var mutex = new Mutex(false, Namespace.NewName());
        Check.InThread(() => mutex.WaitOne());
        AbandonedMutexException any = Check.Throws<AbandonedMutexException>(
            () => WaitHandle.WaitAny([never, mutex], Check.Deadline));
        Assert.Equal(1, any.MutexIndex);
        Assert.Same(mutex, any.Mutex);
        mutex.ReleaseMutex();
        Check.InThread(() => mutex.WaitOne());
        never.Set();
        AbandonedMutexException all = Check.Throws<AbandonedMutexException>(
            () => WaitHandle.WaitAll([never, mutex], Check.Deadline));
        Assert.Equal(-1, all.MutexIndex);
        Assert.False(never.WaitOne(0)); // all are ours
        mutex.ReleaseMutex();
    }

    private static IEnumerable<Func<WaitHandle, WaitHandle, bool>> SignalAndWait()
    {
        yield return (signal, wait) => WaitHandle.SignalAndWait(signal, wait, 0, false);
        yield return (signal, wait) => WaitHandle.SignalAndWait(signal, wait, TimeSpan.Zero, false);
    }

    [Fact]
    public void Signal_and_wait()
    {
        using var signal = new AutoResetEvent(false);
        using var wait = new EventWaitHandle(true, EventResetMode.AutoReset, Namespace.NewName());
        Assert.True(WaitHandle.SignalAndWait(signal, wait));
        Assert.True(signal.WaitOne(0));
        foreach (var call in SignalAndWait())
        {
            Assert.False(call(signal, wait));
            Assert.True(signal.WaitOne(0)); // the signal stays
            Check.Throws<ArgumentNullException>("toSignal", () => call(null!, wait));
            Check.Throws<ArgumentNullException>("toWaitOn", () => call(signal, null!));
            Assert.False(signal.WaitOne(0));
            wait.Set();
            using var mutex = new Mutex();
            Check.Throws<ApplicationException>(() => call(mutex, wait));
            using var full = new Semaphore(1, 1);
            Check.Throws<InvalidOperationException>(() => call(full, wait));
            Assert.True(wait.WaitOne(0)); // no wait was done
        }
        Check.Throws<ArgumentOutOfRangeException>(
            "millisecondsTimeout", () => WaitHandle.SignalAndWait(signal, wait, -2, false));
        Check.Throws<ArgumentOutOfRangeException>(
            "timeout", () => WaitHandle.SignalAndWait(signal, wait, TimeSpan.FromMilliseconds(-2), false));
        var closed = new AutoResetEvent(false);
        closed.Dispose();
        Check.Throws<ObjectDisposedException>(() => WaitHandle.SignalAndWait(signal, closed));
        Assert.False(signal.WaitOne(0));
    }

    //
    // With .NET's own.
    //

    [Fact]
    public void A_mutex_or_a_cancellation()
    {
        using var source = new CancellationTokenSource();
        using var mutex = new Mutex(false, Namespace.NewName());
        Assert.Equal(1, WaitHandle.WaitAny([source.Token.WaitHandle, mutex], 0));
        Check.InThread(() =>
        {
            WaitHandle[] handles = [mutex, source.Token.WaitHandle];
            Assert.Equal(WaitHandle.WaitTimeout, WaitHandle.WaitAny(handles, 0));
            Assert.Equal(WaitHandle.WaitTimeout, WaitHandle.WaitAny(handles, 5));
            source.CancelAfter(10);
            Assert.Equal(1, WaitHandle.WaitAny(handles));
        });
        Check.InThread(() => Assert.Equal(0, WaitHandle.WaitAny([source.Token.WaitHandle, mutex])));
        mutex.ReleaseMutex();
    }

    [Fact]
    public void Ours_wakes_a_mixed_wait()
    {
        using var foreign = new System.Threading.ManualResetEvent(false);
        using var auto = new System.Threading.AutoResetEvent(false);
        using var ours = new EventWaitHandle(false, EventResetMode.AutoReset, Namespace.NewName());
        foreach (System.Threading.WaitHandle other in new System.Threading.WaitHandle[] { foreign, auto })
        {
            int index = -1;
            var waiter = new Thread(() => index = WaitHandle.WaitAny([other, ours], Check.Deadline));
            waiter.Start();
            ours.Set();
            Assert.True(waiter.Join(Check.Deadline));
            Assert.Equal(1, index);
        }
    }

    [Fact]
    public void Theirs_wakes_a_mixed_wait()
    {
        using var manual = new System.Threading.ManualResetEvent(false);
        using var auto = new System.Threading.AutoResetEvent(false);
        using var never = new Semaphore(0, 1, Namespace.NewName());
        foreach (System.Threading.EventWaitHandle other in new System.Threading.EventWaitHandle[] { manual, auto })
        {
            int index = -1;
            var waiter = new Thread(() => index = WaitHandle.WaitAny([never, other], Check.Deadline));
            waiter.Start();
            other.Set();
            Assert.True(waiter.Join(Check.Deadline));
            Assert.Equal(1, index);
        }
        Assert.False(auto.WaitOne(0)); // was taken
        Assert.True(manual.WaitOne(0));
    }

    [Fact]
    public void Abandoned_in_a_mixed_wait()
    {
        using var foreign = new System.Threading.ManualResetEvent(false);
        using var mutex = new Mutex(false, Namespace.NewName());
        Check.InThread(() => mutex.WaitOne());
        AbandonedMutexException exception = Check.Throws<AbandonedMutexException>(
            () => WaitHandle.WaitAny([foreign, mutex], Check.Deadline));
        Assert.Equal(1, exception.MutexIndex);
        Assert.Same(mutex, exception.Mutex);
        mutex.ReleaseMutex();
    }

    [Fact]
    public void All_of_both_is_refused_and_each_alone_is_not()
    {
        using var foreign = new System.Threading.AutoResetEvent(true);
        using var second = new System.Threading.ManualResetEvent(true);
        using var ours = new AutoResetEvent(true);
        Check.Throws<PlatformNotSupportedException>(() => WaitHandle.WaitAll([foreign, ours], 0));
        Assert.True(ours.WaitOne(0)); // nothing was taken
        Assert.True(WaitHandle.WaitAll([foreign, second], 0));
        Assert.Equal(1, WaitHandle.WaitAny([foreign, second], 0));
        Assert.True(WaitHandle.SignalAndWait(ours, second, 0, false));
        Assert.True(WaitHandle.SignalAndWait(foreign, ours, 0, false));
        Assert.True(foreign.WaitOne(0));
        using var full = new System.Threading.Semaphore(1, 1);
        Check.Throws<InvalidOperationException>(() => WaitHandle.SignalAndWait(full, ours));
    }
}
