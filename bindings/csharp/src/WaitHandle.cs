using System;
using System.Threading;
using static Mmf.Failure;
using SystemThreading = System.Threading;

namespace Mmf;

/// <summary>
/// What can be waited for: System.Threading.WaitHandle, named on Linux. Mutexes, events and
/// semaphores of this namespace can be mixed freely in one wait. .NET's own wait handles, such as
/// CancellationToken.WaitHandle, turn into one of these where one is expected.
/// </summary>
public abstract unsafe partial class WaitHandle : MarshalByRefObject, IDisposable
{
    /// <summary>WaitAny's answer when the time ran out.</summary>
    public const int WaitTimeout = 0x102;

    /// <summary>No handle.</summary>
    protected static readonly IntPtr InvalidHandle = -1;

    private readonly SafeWaitHandle handle;
    private readonly SystemThreading.WaitHandle? system; // on Windows, and for foreign handles

    internal WaitHandle(SafeWaitHandle handle) => this.handle = handle;

    internal WaitHandle(SystemThreading.WaitHandle system)
    {
        this.system = system;
        handle = new SafeWaitHandle(system.SafeWaitHandle);
    }

    /// <summary>What a constructor has made: one of the two.</summary>
    internal readonly record struct Made(SafeWaitHandle? Handle, SystemThreading.WaitHandle? System);

    internal WaitHandle(Made made)
    {
        system = made.System;
        handle = made.Handle ?? new SafeWaitHandle(made.System!.SafeWaitHandle);
    }

    internal SystemThreading.WaitHandle? System => system;

    // One of libmmf's.
    private bool IsMutex => handle.Kind == About.Mutex;

    /// <summary>The object's handle, closed by Dispose.</summary>
    public SafeWaitHandle SafeWaitHandle => handle;

    /// <summary>One of .NET's own wait handles, for a wait together with ours.</summary>
    /// <param name="handle">The handle, or null.</param>
    /// <returns>One of ours over it.</returns>
    [return: global::System.Diagnostics.CodeAnalysis.NotNullIfNotNull(nameof(handle))]
    public static implicit operator WaitHandle?(SystemThreading.WaitHandle? handle) =>
        handle != null ? new ForeignWaitHandle(handle) : null;

    // For the casts of the derived types: an object of .NET's own in one of ours.
    private protected static Made Wrap<T>(SystemThreading.WaitHandle handle)
        where T : SystemThreading.WaitHandle =>
        new(null, handle as T ??
                  throw new InvalidCastException($"A {handle.GetType()} is no {typeof(T).Name}."));

    //
    // Waiting for one.
    //

    /// <summary>Waits forever.</summary>
    /// <returns>False if the time ran out.</returns>
    /// <exception cref="ObjectDisposedException">It is closed.</exception>
    /// <exception cref="AbandonedMutexException">The mutex is yours; its last owner died.</exception>
    public virtual bool WaitOne() => WaitOneCore(Timeout.Infinite);

    /// <summary>Waits; false if the time runs out. -1 waits forever, 0 does not wait.</summary>
    /// <param name="millisecondsTimeout">How long; -1 is forever, and 0 does not wait.</param>
    /// <returns>False if the time ran out.</returns>
    /// <exception cref="ObjectDisposedException">It is closed.</exception>
    /// <exception cref="AbandonedMutexException">The mutex is yours; its last owner died.</exception>
    public virtual bool WaitOne(int millisecondsTimeout)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(millisecondsTimeout, Timeout.Infinite);
        return WaitOneCore(millisecondsTimeout);
    }

    /// <summary>Waits; false if the time runs out.</summary>
    /// <param name="timeout">How long; -1 milliseconds is forever, and 0 does not wait.</param>
    /// <returns>False if the time ran out.</returns>
    /// <exception cref="ObjectDisposedException">It is closed.</exception>
    /// <exception cref="AbandonedMutexException">The mutex is yours; its last owner died.</exception>
    public virtual bool WaitOne(TimeSpan timeout) => WaitOneCore(Milliseconds(timeout));

    /// <summary>Waits; <paramref name="exitContext"/> means nothing.</summary>
    /// <param name="millisecondsTimeout">How long; -1 is forever, and 0 does not wait.</param>
    /// <param name="exitContext">Means nothing.</param>
    /// <returns>False if the time ran out.</returns>
    /// <exception cref="ObjectDisposedException">It is closed.</exception>
    /// <exception cref="AbandonedMutexException">The mutex is yours; its last owner died.</exception>
    public virtual bool WaitOne(int millisecondsTimeout, bool exitContext) => WaitOne(millisecondsTimeout);

    /// <summary>Waits; <paramref name="exitContext"/> means nothing.</summary>
    /// <param name="timeout">How long; -1 milliseconds is forever, and 0 does not wait.</param>
    /// <param name="exitContext">Means nothing.</param>
    /// <returns>False if the time ran out.</returns>
    /// <exception cref="ObjectDisposedException">It is closed.</exception>
    /// <exception cref="AbandonedMutexException">The mutex is yours; its last owner died.</exception>
    public virtual bool WaitOne(TimeSpan timeout, bool exitContext) => WaitOne(timeout);

    private bool WaitOneCore(int timeout)
    {
        if (system != null)
            return WaitOneSystem(timeout);
        if (NotifiedWait.Context is { } context)
            return NotifiedWait.For(context, timeout, () => WaitOneNative(0) ? 0 : WaitTimeout) == 0;
        return WaitOneNative(timeout);
    }

    private bool WaitOneNative(int timeout)
    {
        if (IsMutex)
            Owners.Note();
        nint waitable = handle.BeginWait();
        try
        {
            int rc = Native.mmf_wait_one(waitable, timeout);
            if (rc == Native.TimedOut && IsMutex && Owners.AwaitEnds())
                rc = Native.mmf_wait_one(waitable, 0);
            return Result(rc, this);
        }
        finally
        {
            handle.EndWait();
        }
    }

    private bool WaitOneSystem(int timeout)
    {
        try
        {
            return system!.WaitOne(timeout);
        }
        catch (SystemThreading.AbandonedMutexException)
        {
            throw new AbandonedMutexException();
        }
    }

    // What a wait for one or for all answered.
    private static bool Result(int rc, WaitHandle? waited) => rc switch
    {
        Native.Ok => true,
        Native.TimedOut => false,
        Native.Abandoned => throw new AbandonedMutexException(),
        _ => throw Of(rc, waited?.handle.Kind ?? About.Mutex),
    };

    private static int Milliseconds(TimeSpan timeout)
    {
        long milliseconds = (long)timeout.TotalMilliseconds;

        ArgumentOutOfRangeException.ThrowIfLessThan(milliseconds, Timeout.Infinite, nameof(timeout));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(milliseconds, int.MaxValue, nameof(timeout));
        return (int)milliseconds;
    }

    //
    // The end.
    //

    /// <summary>Closes the handle.</summary>
    public virtual void Close() => Dispose();

    /// <summary>Closes the handle. A wait that goes on meanwhile ends first.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes the handle.</summary>
    /// <param name="explicitDisposing">Whether Dispose was called, and not the garbage collector.</param>
    protected virtual void Dispose(bool explicitDisposing)
    {
        handle.Dispose();
        if (explicitDisposing)
            system?.Dispose();
    }

    //
    // For the types.
    //

    // A function of the object itself, which stays open meanwhile.
    private protected void Do(delegate*<nint, int> function)
    {
        bool held = false;

        try
        {
            handle.DangerousAddRef(ref held);
            Failure.Check(function(handle.Target), handle.Kind);
        }
        finally
        {
            if (held)
                handle.DangerousRelease();
        }
    }

    // Signal: a mutex is released, an event set, a semaphore released once.
    private protected abstract void Signal();

    private sealed class ForeignWaitHandle(SystemThreading.WaitHandle handle) : WaitHandle(handle)
    {
        private protected override void Signal()
        {
            switch (System!)
            {
                case SystemThreading.EventWaitHandle evt:
                    evt.Set();
                    break;
                case SystemThreading.Mutex mutex:
                    mutex.ReleaseMutex();
                    break;
                case SystemThreading.Semaphore semaphore:
                    semaphore.Release();
                    break;
                default:
                    throw new NotSupportedException($"A {System!.GetType()} cannot be signalled.");
            }
        }
    }
}
