// Waits for any and for all of several, and signal-and-wait.
using System;
using System.Threading;
using static Mmf.Failure;
using SystemThreading = System.Threading;

namespace Mmf;

public abstract unsafe partial class WaitHandle
{
    private const int Maximum = 64;

    /// <summary>Waits for all; nothing is taken before all can be.</summary>
    /// <param name="waitHandles">At most 64.</param>
    /// <returns>False if the time ran out.</returns>
    /// <exception cref="AbandonedMutexException">All are yours; the last owner of a mutex among them
    /// died.</exception>
    /// <exception cref="DuplicateWaitObjectException">A handle is there twice.</exception>
    /// <exception cref="NotSupportedException">More than 64 handles.</exception>
    public static bool WaitAll(WaitHandle[] waitHandles) => All(waitHandles, Timeout.Infinite);

    /// <summary>Waits for all; false if the time runs out.</summary>
    /// <param name="waitHandles">At most 64.</param>
    /// <param name="millisecondsTimeout">How long; -1 is forever, and 0 does not wait.</param>
    /// <returns>False if the time ran out.</returns>
    /// <exception cref="AbandonedMutexException">All are yours; the last owner of a mutex among them
    /// died.</exception>
    /// <exception cref="DuplicateWaitObjectException">A handle is there twice.</exception>
    /// <exception cref="NotSupportedException">More than 64 handles.</exception>
    public static bool WaitAll(WaitHandle[] waitHandles, int millisecondsTimeout) =>
        All(waitHandles, Checked(waitHandles, millisecondsTimeout));

    /// <summary>Waits for all; false if the time runs out.</summary>
    /// <param name="waitHandles">At most 64.</param>
    /// <param name="timeout">How long; -1 milliseconds is forever, and 0 does not wait.</param>
    /// <returns>False if the time ran out.</returns>
    /// <exception cref="AbandonedMutexException">All are yours; the last owner of a mutex among them
    /// died.</exception>
    /// <exception cref="DuplicateWaitObjectException">A handle is there twice.</exception>
    /// <exception cref="NotSupportedException">More than 64 handles.</exception>
    public static bool WaitAll(WaitHandle[] waitHandles, TimeSpan timeout) =>
        All(waitHandles, Checked(waitHandles, timeout));

    /// <summary>Waits for all; <paramref name="exitContext"/> means nothing.</summary>
    /// <param name="waitHandles">At most 64.</param>
    /// <param name="millisecondsTimeout">How long; -1 is forever, and 0 does not wait.</param>
    /// <param name="exitContext">Means nothing.</param>
    /// <returns>False if the time ran out.</returns>
    /// <exception cref="AbandonedMutexException">All are yours; the last owner of a mutex among them
    /// died.</exception>
    /// <exception cref="DuplicateWaitObjectException">A handle is there twice.</exception>
    /// <exception cref="NotSupportedException">More than 64 handles.</exception>
    public static bool WaitAll(WaitHandle[] waitHandles, int millisecondsTimeout, bool exitContext) =>
        WaitAll(waitHandles, millisecondsTimeout);

    /// <summary>Waits for all; <paramref name="exitContext"/> means nothing.</summary>
    /// <param name="waitHandles">At most 64.</param>
    /// <param name="timeout">How long; -1 milliseconds is forever, and 0 does not wait.</param>
    /// <param name="exitContext">Means nothing.</param>
    /// <returns>False if the time ran out.</returns>
    /// <exception cref="AbandonedMutexException">All are yours; the last owner of a mutex among them
    /// died.</exception>
    /// <exception cref="DuplicateWaitObjectException">A handle is there twice.</exception>
    /// <exception cref="NotSupportedException">More than 64 handles.</exception>
    public static bool WaitAll(WaitHandle[] waitHandles, TimeSpan timeout, bool exitContext) =>
        WaitAll(waitHandles, timeout);

    /// <summary>Waits for one of several: of those that are available, the one with the lowest index.</summary>
    /// <param name="waitHandles">At most 64.</param>
    /// <returns>Its index, or <see cref="WaitTimeout"/>.</returns>
    /// <exception cref="AbandonedMutexException">A mutex is yours; its last owner died.</exception>
    /// <exception cref="NotSupportedException">More than 64 handles.</exception>
    public static int WaitAny(WaitHandle[] waitHandles) => Any(waitHandles, Timeout.Infinite);

    /// <summary>Waits for one of several; <see cref="WaitTimeout"/> if the time runs out.</summary>
    /// <param name="waitHandles">At most 64.</param>
    /// <param name="millisecondsTimeout">How long; -1 is forever, and 0 does not wait.</param>
    /// <returns>Its index, or <see cref="WaitTimeout"/>.</returns>
    /// <exception cref="AbandonedMutexException">A mutex is yours; its last owner died.</exception>
    /// <exception cref="NotSupportedException">More than 64 handles.</exception>
    public static int WaitAny(WaitHandle[] waitHandles, int millisecondsTimeout) =>
        Any(waitHandles, Checked(waitHandles, millisecondsTimeout));

    /// <summary>Waits for one of several; <see cref="WaitTimeout"/> if the time runs out.</summary>
    /// <param name="waitHandles">At most 64.</param>
    /// <param name="timeout">How long; -1 milliseconds is forever, and 0 does not wait.</param>
    /// <returns>Its index, or <see cref="WaitTimeout"/>.</returns>
    /// <exception cref="AbandonedMutexException">A mutex is yours; its last owner died.</exception>
    /// <exception cref="NotSupportedException">More than 64 handles.</exception>
    public static int WaitAny(WaitHandle[] waitHandles, TimeSpan timeout) =>
        Any(waitHandles, Checked(waitHandles, timeout));

    /// <summary>Waits for one of several; <paramref name="exitContext"/> means nothing.</summary>
    /// <param name="waitHandles">At most 64.</param>
    /// <param name="millisecondsTimeout">How long; -1 is forever, and 0 does not wait.</param>
    /// <param name="exitContext">Means nothing.</param>
    /// <returns>Its index, or <see cref="WaitTimeout"/>.</returns>
    /// <exception cref="AbandonedMutexException">A mutex is yours; its last owner died.</exception>
    /// <exception cref="NotSupportedException">More than 64 handles.</exception>
    public static int WaitAny(WaitHandle[] waitHandles, int millisecondsTimeout, bool exitContext) =>
        WaitAny(waitHandles, millisecondsTimeout);

    /// <summary>Waits for one of several; <paramref name="exitContext"/> means nothing.</summary>
    /// <param name="waitHandles">At most 64.</param>
    /// <param name="timeout">How long; -1 milliseconds is forever, and 0 does not wait.</param>
    /// <param name="exitContext">Means nothing.</param>
    /// <returns>Its index, or <see cref="WaitTimeout"/>.</returns>
    /// <exception cref="AbandonedMutexException">A mutex is yours; its last owner died.</exception>
    /// <exception cref="NotSupportedException">More than 64 handles.</exception>
    public static int WaitAny(WaitHandle[] waitHandles, TimeSpan timeout, bool exitContext) =>
        WaitAny(waitHandles, timeout);

    /// <summary>Signals one, then waits for another: two steps, not one.</summary>
    /// <param name="toSignal">A mutex is released, an event set, a semaphore released once.</param>
    /// <param name="toWaitOn">What is waited for then.</param>
    /// <returns>False if the time ran out.</returns>
    /// <exception cref="InvalidOperationException">The semaphore is full; nothing has changed.</exception>
    /// <exception cref="ApplicationException">The mutex is not owned by this thread.</exception>
    public static bool SignalAndWait(WaitHandle toSignal, WaitHandle toWaitOn) =>
        SignalAndWaitCore(toSignal, toWaitOn, Timeout.Infinite);

    /// <summary>Signals one, then waits for another; <paramref name="exitContext"/> means nothing.</summary>
    /// <param name="toSignal">A mutex is released, an event set, a semaphore released once.</param>
    /// <param name="toWaitOn">What is waited for then.</param>
    /// <param name="timeout">How long; -1 milliseconds is forever, and 0 does not wait.</param>
    /// <param name="exitContext">Means nothing.</param>
    /// <returns>False if the time ran out.</returns>
    /// <exception cref="InvalidOperationException">The semaphore is full; nothing has changed.</exception>
    /// <exception cref="ApplicationException">The mutex is not owned by this thread.</exception>
    public static bool SignalAndWait(WaitHandle toSignal, WaitHandle toWaitOn, TimeSpan timeout,
                                     bool exitContext)
    {
        ArgumentNullException.ThrowIfNull(toSignal);
        ArgumentNullException.ThrowIfNull(toWaitOn);
        return SignalAndWaitCore(toSignal, toWaitOn, Milliseconds(timeout));
    }

    /// <summary>Signals one, then waits for another; <paramref name="exitContext"/> means nothing.</summary>
    /// <param name="toSignal">A mutex is released, an event set, a semaphore released once.</param>
    /// <param name="toWaitOn">What is waited for then.</param>
    /// <param name="millisecondsTimeout">How long; -1 is forever, and 0 does not wait.</param>
    /// <param name="exitContext">Means nothing.</param>
    /// <returns>False if the time ran out.</returns>
    /// <exception cref="InvalidOperationException">The semaphore is full; nothing has changed.</exception>
    /// <exception cref="ApplicationException">The mutex is not owned by this thread.</exception>
    public static bool SignalAndWait(WaitHandle toSignal, WaitHandle toWaitOn, int millisecondsTimeout,
                                     bool exitContext)
    {
        ArgumentNullException.ThrowIfNull(toSignal);
        ArgumentNullException.ThrowIfNull(toWaitOn);
        ArgumentOutOfRangeException.ThrowIfLessThan(millisecondsTimeout, Timeout.Infinite);
        return SignalAndWaitCore(toSignal, toWaitOn, millisecondsTimeout);
    }

    //
    // Arguments (contract 2.10): the array, its length, the timeout, then each element.
    //

    private static void Check(WaitHandle[] waitHandles)
    {
        ArgumentNullException.ThrowIfNull(waitHandles);
        if (waitHandles.Length == 0)
            throw new ArgumentException("There is nothing to wait for.", nameof(waitHandles));
        if (waitHandles.Length > Maximum)
            throw new NotSupportedException($"A wait is for at most {Maximum} objects.");
    }

    private static int Checked(WaitHandle[] waitHandles, int millisecondsTimeout)
    {
        Check(waitHandles);
        ArgumentOutOfRangeException.ThrowIfLessThan(millisecondsTimeout, Timeout.Infinite);
        return millisecondsTimeout;
    }

    private static int Checked(WaitHandle[] waitHandles, TimeSpan timeout)
    {
        Check(waitHandles);
        return Milliseconds(timeout);
    }

    private static int CountOfSystem(WaitHandle[] handles)
    {
        int count = 0;

        for (int i = 0; i < handles.Length; i++)
        {
            if (handles[i] == null)
                throw new ArgumentNullException($"waitHandles[{i}]", "An element is null.");
            if (handles[i].system != null)
                count++;
        }
        return count;
    }

    //
    // The waits.
    //

    // The handles of a wait, all of them held open until it ends.
    private ref struct Held
    {
        private readonly ReadOnlySpan<WaitHandle> handles;
        private int count;

        internal Held(ReadOnlySpan<WaitHandle> handles, Span<nint> numbers)
        {
            this.handles = handles;
            try
            {
                for (; count < handles.Length; count++)
                    numbers[count] = handles[count].handle.BeginWait();
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        internal void Dispose()
        {
            while (count > 0)
                handles[--count].handle.EndWait();
        }
    }

    private static bool All(WaitHandle[] waitHandles, int timeout)
    {
        Check(waitHandles);
        WaitHandle[] handles = (WaitHandle[])waitHandles.Clone(); // no other thread changes the copy
        int foreign = CountOfSystem(handles);

        if (foreign == handles.Length)
            return AllOfSystem(handles, timeout);
        if (foreign != 0)
            throw new PlatformNotSupportedException(
                "All of .NET's own wait handles together with mmf's cannot be taken in one step. " +
                "WaitAny can wait for both.");
        if (NotifiedWait.Context is { } context)
            return NotifiedWait.For(context, timeout, () => AllOfOurs(handles, 0) ? 0 : WaitTimeout) == 0;
        return AllOfOurs(handles, timeout);
    }

    private static bool AllOfOurs(WaitHandle[] handles, int timeout)
    {
        nint* numbers = stackalloc nint[Maximum];
        using var held = new Held(handles, new Span<nint>(numbers, Maximum));
        bool hasMutex = FindMutex(handles) >= 0;
        if (hasMutex)
            Owners.Note();
        int rc = Native.mmf_wait_all(numbers, handles.Length, timeout);
        if (rc == Native.TimedOut && hasMutex && Owners.AwaitEnds())
            rc = Native.mmf_wait_all(numbers, handles.Length, 0);
        if (rc == Invalid)
            throw Twice(handles);
        return Result(rc, null);
    }

    // The first one's index, or -1.
    private static int FindMutex(WaitHandle[] handles) => Array.FindIndex(handles, handle => handle.IsMutex);

    // As on Windows: the same handle, or one object by two handles.
    private static ArgumentException Twice(WaitHandle[] handles)
    {
        var seen = new System.Collections.Generic.HashSet<WaitHandle>();

        return Array.TrueForAll(handles, seen.Add)
            ? new ArgumentException("An object is there twice, by two handles.")
            : new DuplicateWaitObjectException("waitHandles", "An object is there twice.");
    }

    private static int Any(WaitHandle[] waitHandles, int timeout)
    {
        Check(waitHandles);
        WaitHandle[] handles = (WaitHandle[])waitHandles.Clone();
        int foreign = CountOfSystem(handles);

        if (foreign == handles.Length)
            return AnyOfSystem(handles, timeout);
        if (NotifiedWait.Context is { } context)
            return NotifiedWait.For(context, timeout, () => AnyOf(handles, foreign, 0));
        return AnyOf(handles, foreign, timeout);
    }

    private static int AnyOf(WaitHandle[] handles, int foreign, int timeout) =>
        foreign == 0 ? AnyOfOurs(handles, timeout) : new MixedWait(handles).Any(timeout);

    private static int AnyOfOurs(WaitHandle[] handles, int timeout)
    {
        nint* numbers = stackalloc nint[Maximum];
        int index;

        using var held = new Held(handles, new Span<nint>(numbers, Maximum));
        int mutex = FindMutex(handles);
        if (mutex >= 0)
            Owners.Note();
        if (mutex >= 0 && mutex < handles.Length - 1)
            Owners.AwaitEnds(); // it comes before what stands behind it
        int rc = Native.mmf_wait_any(numbers, handles.Length, timeout, &index);
        if (rc == Native.TimedOut && mutex >= 0 && Owners.AwaitEnds())
            rc = Native.mmf_wait_any(numbers, handles.Length, 0, &index);
        return rc switch
        {
            Native.Ok => index,
            Native.TimedOut => WaitTimeout,
            Native.Abandoned => throw new AbandonedMutexException(index, handles[index]),
            _ => throw Of(rc, About.Mutex),
        };
    }

    private static SystemThreading.WaitHandle[] OfSystem(WaitHandle[] handles) =>
        Array.ConvertAll(handles, handle => handle.system!);

    private static bool AllOfSystem(WaitHandle[] handles, int timeout)
    {
        try
        {
            return SystemThreading.WaitHandle.WaitAll(OfSystem(handles), timeout);
        }
        catch (SystemThreading.AbandonedMutexException)
        {
            throw new AbandonedMutexException();
        }
    }

    private static int AnyOfSystem(WaitHandle[] handles, int timeout)
    {
        try
        {
            return SystemThreading.WaitHandle.WaitAny(OfSystem(handles), timeout);
        }
        catch (SystemThreading.AbandonedMutexException exception)
        {
            int index = exception.MutexIndex;

            throw new AbandonedMutexException(index, index >= 0 ? handles[index] : null);
        }
    }

    // As .NET, which has another exception here than Semaphore.Release.
    private static bool SignalAndWaitNative(nint* numbers, int timeout, WaitHandle toWaitOn)
    {
        if (toWaitOn.IsMutex)
            Owners.Note();
        int rc = Native.mmf_signal_and_wait(numbers[0], numbers[1], timeout);
        if (rc == Native.TimedOut && toWaitOn.IsMutex && Owners.AwaitEnds())
            rc = Native.mmf_wait_one(numbers[1], 0);
        if (rc == Failure.Maximum)
            throw new InvalidOperationException(Of(rc, About.Semaphore).Message);
        return Result(rc, toWaitOn);
    }

    private static bool SignalAndWaitCore(WaitHandle toSignal, WaitHandle toWaitOn, int timeout)
    {
        ArgumentNullException.ThrowIfNull(toSignal);
        ArgumentNullException.ThrowIfNull(toWaitOn);
        if (toSignal.system != null && toWaitOn.system != null)
            return SystemThreading.WaitHandle.SignalAndWait(toSignal.system, toWaitOn.system, timeout, false);
        nint* numbers = stackalloc nint[2];
        using var held = new Held(new[] { toSignal, toWaitOn }, new Span<nint>(numbers, 2));
        if (toSignal.system == null && toWaitOn.system == null)
            return SignalAndWaitNative(numbers, timeout, toWaitOn);
        try
        {
            toSignal.Signal();
        }
        catch (SemaphoreFullException exception)
        {
            throw new InvalidOperationException(exception.Message, exception);
        }
        return toWaitOn.WaitOneCore(timeout);
    }
}
