// Waits that no thread sleeps for.
using System;
using System.Threading;
using System.Threading.Tasks;

namespace Mmf;

public abstract partial class WaitHandle
{
    /// <summary>Waits without a thread, and takes the object as WaitOne does. It stays open until the wait is
    /// over, also if it is disposed meanwhile. Not for a mutex.</summary>
    /// <param name="cancellationToken">Ends the wait; nothing is taken then.</param>
    /// <returns>A task that ends when the object was taken.</returns>
    /// <exception cref="NotSupportedException">A mutex: it is owned by a thread, and after an await another
    /// thread may go on.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public Task WaitOneAsync(CancellationToken cancellationToken = default) =>
        WaitAnyAsync([this], cancellationToken);

    /// <summary>The same, for some time.</summary>
    /// <param name="timeout">How long.</param>
    /// <param name="cancellationToken">Ends the wait; nothing is taken then.</param>
    /// <returns>False if the time ran out.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A timeout below -1 ms, or of more than int.MaxValue ms.</exception>
    /// <exception cref="NotSupportedException">A mutex, as above.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public async Task<bool> WaitOneAsync(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        await WaitAnyAsync([this], timeout, cancellationToken).ConfigureAwait(false) == 0;

    /// <summary>Waits without a thread for one of several, and takes it as WaitAny does. .NET's own handles may
    /// be among them: then, and on Windows, the wait has a thread.</summary>
    /// <param name="waitHandles">Events and semaphores; at most 64, with .NET's own among them 63.</param>
    /// <param name="cancellationToken">Ends the wait; nothing is taken then.</param>
    /// <returns>The index of the one that was taken: of those that are available, the lowest.</returns>
    /// <exception cref="ArgumentNullException">The array or one of its elements is null.</exception>
    /// <exception cref="ArgumentException">The array is empty.</exception>
    /// <exception cref="NotSupportedException">More than 64, or a mutex among them: it is owned by a thread, and
    /// after an await another thread may go on.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">A handle is closed.</exception>
    public static Task<int> WaitAnyAsync(WaitHandle[] waitHandles, CancellationToken cancellationToken = default) =>
        WaitAnyAsync(waitHandles, Timeout.InfiniteTimeSpan, cancellationToken);

    /// <summary>The same, for some time.</summary>
    /// <param name="waitHandles">Events and semaphores; at most 64, with .NET's own among them 63.</param>
    /// <param name="timeout">How long.</param>
    /// <param name="cancellationToken">Ends the wait; nothing is taken then.</param>
    /// <returns>The index of the one that was taken, or <see cref="WaitTimeout"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A timeout below -1 ms, or of more than int.MaxValue ms.</exception>
    /// <exception cref="ArgumentNullException">The array or one of its elements is null.</exception>
    /// <exception cref="ArgumentException">The array is empty.</exception>
    /// <exception cref="NotSupportedException">More than 64, or a mutex among them, as above.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">A handle is closed.</exception>
    public static Task<int> WaitAnyAsync(WaitHandle[] waitHandles, TimeSpan timeout,
                                         CancellationToken cancellationToken = default)
    {
        Checked(waitHandles, timeout);
        WaitHandle[] handles = (WaitHandle[])waitHandles.Clone();
        int foreign = CountOfSystem(handles);

        foreach (WaitHandle handle in handles)
        {
            if (handle is Mutex || handle.System is System.Threading.Mutex)
                throw new NotSupportedException(
                    "A mutex has no asynchronous wait: a thread owns it, and after an await another thread may go " +
                    "on, which could not release it. Use WaitOne in one thread, or a Semaphore with the counts 1, 1.");
        }
        if (cancellationToken.IsCancellationRequested)
            return Task.FromCanceled<int>(cancellationToken);
        PendingWait wait = foreign == 0 ? PolledWaitFor(handles) : ThreadWaitFor(handles);
        return wait.Start(timeout, cancellationToken);
    }

    private static PolledWait PolledWaitFor(WaitHandle[] handles)
    {
        var numbers = new nint[handles.Length];
        _ = new Held(handles, numbers);

        return new PolledWait(numbers, () => TakeAny(numbers)) { Ended = () => Release(handles) };
    }

    // The handles are held meanwhile; so an object that was disposed is taken, too.
    private static unsafe int TakeAny(nint[] numbers)
    {
        int index;

        fixed (nint* objects = numbers)
        {
            int rc = Native.mmf_wait_any(objects, numbers.Length, 0, &index);
            Failure.Check(rc, Failure.About.Event);
            return rc == Native.TimedOut ? WaitTimeout : index;
        }
    }

    private static void Release(WaitHandle[] handles)
    {
        foreach (WaitHandle handle in handles)
            handle.handle.EndWait();
    }

    private static ThreadWait ThreadWaitFor(WaitHandle[] handles)
    {
        var stop = new ManualResetEvent(false);
        WaitHandle[] all = [.. handles, stop];

        Check(all);
        return new ThreadWait(
            () =>
            {
                int index = Any(all, Timeout.Infinite);
                return index < handles.Length ? index : PendingWait.NotYet;
            },
            () => stop.Set(), stop.Dispose);
    }
}
