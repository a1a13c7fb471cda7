using System;
using System.Diagnostics.CodeAnalysis;
using System.IO;
using System.Runtime.Versioning;
using System.Threading;
using static Mmf.Failure;
using SystemThreading = System.Threading;

namespace Mmf;

/// <summary>
/// A semaphore: System.Threading.Semaphore, with names on Linux. What a dead process took from the
/// count does not come back.
/// </summary>
public sealed unsafe class Semaphore : WaitHandle
{
    internal Semaphore(Made made) : base(made)
    {
    }

    /// <summary>An unnamed semaphore.</summary>
    /// <param name="initialCount">The count of a new one.</param>
    /// <param name="maximumCount">The maximum of a new one.</param>
    /// <exception cref="ArgumentOutOfRangeException">A count is negative, or the maximum 0.</exception>
    /// <exception cref="ArgumentException">The count is more than the maximum.</exception>
    public Semaphore(int initialCount, int maximumCount) : this(initialCount, maximumCount, null)
    {
    }

    /// <summary>Creates or opens the semaphore of that name; null or "" makes an unnamed one.</summary>
    /// <param name="initialCount">The count of a new one.</param>
    /// <param name="maximumCount">The maximum of a new one.</param>
    /// <param name="name">A name, Local\ or Global\ before it; null or "" for none.</param>
    /// <exception cref="WaitHandleCannotBeOpenedException">The name belongs to another kind of object.</exception>
    /// <exception cref="UnauthorizedAccessException">The object is another user's, who does not permit
    /// it.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A count is negative, or the maximum 0.</exception>
    /// <exception cref="ArgumentException">The count is more than the maximum.</exception>
    public Semaphore(int initialCount, int maximumCount, string? name)
        : this(initialCount, maximumCount, name, out _)
    {
    }

    /// <summary>Creates or opens the semaphore of that name; opening it keeps its counts.</summary>
    /// <param name="initialCount">The count of a new one.</param>
    /// <param name="maximumCount">The maximum of a new one.</param>
    /// <param name="name">A name, Local\ or Global\ before it; null or "" for none.</param>
    /// <param name="createdNew">Whether this call created it.</param>
    /// <exception cref="WaitHandleCannotBeOpenedException">The name belongs to another kind of object.</exception>
    /// <exception cref="UnauthorizedAccessException">The object is another user's, who does not permit
    /// it.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A count is negative, or the maximum 0.</exception>
    /// <exception cref="ArgumentException">The count is more than the maximum.</exception>
    public Semaphore(int initialCount, int maximumCount, string? name, out bool createdNew)
        : base(Create(initialCount, maximumCount, name, null, out createdNew))
    {
    }

    /// <summary>Creates or opens the semaphore of that name, shared as the options say.</summary>
    /// <param name="initialCount">The count of a new one.</param>
    /// <param name="maximumCount">The maximum of a new one.</param>
    /// <param name="name">A name, Local\ or Global\ before it; null or "" for none.</param>
    /// <param name="options">Whom the name is shared with.</param>
    /// <exception cref="WaitHandleCannotBeOpenedException">The name belongs to another kind of object, or its object
    /// is not for this user alone, as the options ask.</exception>
    /// <exception cref="UnauthorizedAccessException">The object is another user's, who does not permit
    /// it.</exception>
    /// <exception cref="ArgumentException">The prefix contradicts the options.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A count is negative, or the maximum 0.</exception>
    public Semaphore(int initialCount, int maximumCount, string? name, NamedWaitHandleOptions options)
        : this(initialCount, maximumCount, name, options, out _)
    {
    }

    /// <summary>Creates or opens the semaphore of that name, shared as the options say.</summary>
    /// <param name="initialCount">The count of a new one.</param>
    /// <param name="maximumCount">The maximum of a new one.</param>
    /// <param name="name">A name, Local\ or Global\ before it; null or "" for none.</param>
    /// <param name="options">Whom the name is shared with.</param>
    /// <param name="createdNew">Whether this call created it.</param>
    /// <exception cref="WaitHandleCannotBeOpenedException">The name belongs to another kind of object, or its object
    /// is not for this user alone, as the options ask.</exception>
    /// <exception cref="UnauthorizedAccessException">The object is another user's, who does not permit
    /// it.</exception>
    /// <exception cref="ArgumentException">The prefix contradicts the options.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A count is negative, or the maximum 0.</exception>
    public Semaphore(int initialCount, int maximumCount, string? name, NamedWaitHandleOptions options,
                     out bool createdNew)
        : base(Create(initialCount, maximumCount, name, options, out createdNew))
    {
    }

    /// <summary>Opens the semaphore of that name, or creates one that other users may open, too.</summary>
    /// <param name="initialCount">The count of a new one.</param>
    /// <param name="maximumCount">Its maximum.</param>
    /// <param name="name">A name; other users find those that begin with Global\.</param>
    /// <param name="createdNew">Whether this call created it.</param>
    /// <param name="unixCreateMode">Who may use a new one, whatever the process's umask: read and write.</param>
    /// <exception cref="WaitHandleCannotBeOpenedException">The name belongs to another kind of object.</exception>
    /// <exception cref="UnauthorizedAccessException">The object is another user's, who does not permit
    /// it.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A count is negative, or the maximum 0.</exception>
    /// <exception cref="ArgumentException">A mode of no user, or with other bits than read, write and execute.</exception>
    /// <exception cref="PlatformNotSupportedException">On Windows.</exception>
    [UnsupportedOSPlatform("windows")]
    public Semaphore(int initialCount, int maximumCount, string name, out bool createdNew, UnixFileMode unixCreateMode)
        : base(Create(initialCount, maximumCount, new Named(name, unixCreateMode), out createdNew))
    {
    }

    private static Made Create(int initialCount, int maximumCount, string? name,
                               NamedWaitHandleOptions? options, out bool createdNew)
    {
        if (Backend.IsSystem)
            return new Made(null,
                            SystemBackend.Create(initialCount, maximumCount, name, options, out createdNew));
        return Create(initialCount, maximumCount, new Named(name, options), out createdNew);
    }

    internal static Made Create(int initialCount, int maximumCount, Named named, out bool createdNew)
    {
        Native.SyncOptions settings = named.Options;
        int created;
        nint target;
        Check(Native.mmf_semaphore_create_or_open(named.Name, initialCount, maximumCount, &settings, &created,
                                                  &target), About.Semaphore);
        createdNew = created != 0;
        return new Made(new SafeWaitHandle(About.Semaphore, target), null);
    }

    /// <summary>Adds one to the count; returns what it was before.</summary>
    /// <returns>The count before.</returns>
    /// <exception cref="SemaphoreFullException">It would be more than the maximum; nothing has changed.</exception>
    public int Release() => Release(1);

    /// <summary>Adds to the count; returns what it was before.</summary>
    /// <param name="releaseCount">How much, at least 1.</param>
    /// <returns>The count before.</returns>
    /// <exception cref="SemaphoreFullException">It would be more than the maximum; nothing has
    /// changed.</exception>
    public int Release(int releaseCount)
    {
        if (System is SystemThreading.Semaphore system)
            return system.Release(releaseCount);
        ArgumentOutOfRangeException.ThrowIfLessThan(releaseCount, 1);
        bool held = false;
        try
        {
            int previous;

            SafeWaitHandle.DangerousAddRef(ref held);
            Check(Native.mmf_semaphore_release(SafeWaitHandle.Target, releaseCount, &previous),
                  About.Semaphore);
            return previous;
        }
        finally
        {
            if (held)
                SafeWaitHandle.DangerousRelease();
        }
    }

    private protected override void Signal() => Release();

    /// <summary>An object of .NET's own as one of ours; both are the same object.</summary>
    /// <param name="handle">A System.Threading.Semaphore, or null.</param>
    /// <returns>One of ours, whose Dispose disposes the other.</returns>
    /// <exception cref="InvalidCastException">It is of another kind.</exception>
    [return: NotNullIfNotNull(nameof(handle))]
    public static explicit operator Semaphore?(SystemThreading.WaitHandle? handle) =>
        handle != null ? new Semaphore(Wrap<SystemThreading.Semaphore>(handle)) : null;

    //
    // Opening.
    //

    /// <summary>Opens the semaphore of that name.</summary>
    /// <param name="name">The name, Local\ or Global\ before it.</param>
    /// <returns>The object.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    /// <exception cref="WaitHandleCannotBeOpenedException">There is no such object, or the name belongs to another
    /// kind of object.</exception>
    public static Semaphore OpenExisting(string name) => Open(name, null);

    /// <summary>Opens the semaphore of that name, among those that the options find.</summary>
    /// <param name="name">The name, Local\ or Global\ before it.</param>
    /// <param name="options">Whom the name is shared with.</param>
    /// <returns>The object.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    /// <exception cref="WaitHandleCannotBeOpenedException">There is no such object, or the name belongs to another
    /// kind of object.</exception>
    public static Semaphore OpenExisting(string name, NamedWaitHandleOptions options) => Open(name, options);

    /// <summary>Opens the semaphore of that name; false if there is no such object.</summary>
    /// <param name="name">The name, Local\ or Global\ before it.</param>
    /// <param name="result">The object, or null.</param>
    /// <returns>Whether there is one.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty.</exception>
    public static bool TryOpenExisting(string name, [NotNullWhen(true)] out Semaphore? result) =>
        TryOpen(name, null, out result);

    /// <summary>Opens the semaphore of that name, among those that the options find; false if there is no such object.</summary>
    /// <param name="name">The name, Local\ or Global\ before it.</param>
    /// <param name="options">Whom the name is shared with.</param>
    /// <param name="result">The object, or null.</param>
    /// <returns>Whether there is one.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty.</exception>
    public static bool TryOpenExisting(string name, NamedWaitHandleOptions options,
                                       [NotNullWhen(true)] out Semaphore? result) =>
        TryOpen(name, options, out result);

    /// <summary>Opens the semaphore of that name if there is one, or will be in time.</summary>
    /// <param name="name">The name, Local\ or Global\ before it.</param>
    /// <param name="result">The object, or null.</param>
    /// <param name="timeout">How long to wait for the name.</param>
    /// <returns>False: there is no such object, also after that time.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An invalid timeout.</exception>
    /// <exception cref="UnauthorizedAccessException">The object is another user's, who does not permit
    /// it.</exception>
    /// <exception cref="PlatformNotSupportedException">On Windows.</exception>
    [UnsupportedOSPlatform("windows")]
    public static bool TryOpenExisting(string name, [NotNullWhen(true)] out Semaphore? result, TimeSpan timeout) =>
        TryOpen(new Named(name, timeout), out result);

    private static Semaphore Open(string name, NamedWaitHandleOptions? options) =>
        new(Backend.IsSystem ? new Made(null, SystemBackend.Open(name, options))
                             : new Named(name, options).Open(About.Semaphore, Native.mmf_semaphore_open_existing));

    private static bool TryOpen(string name, NamedWaitHandleOptions? options, [NotNullWhen(true)] out Semaphore? result)
    {
        if (!Backend.IsSystem)
            return TryOpen(new Named(name, options), out result);
        result = SystemBackend.TryOpen(name, options, out SystemThreading.Semaphore? system)
            ? new Semaphore(new Made(null, system))
            : null;
        return result != null;
    }

    private static bool TryOpen(Named named, [NotNullWhen(true)] out Semaphore? result)
    {
        result = named.TryOpen(About.Semaphore, Native.mmf_semaphore_open_existing) is { } made ? new Semaphore(made) : null;
        return result != null;
    }

    // .NET's own, where the system has names.
#pragma warning disable CA1416 // a call on Linux gets .NET's PlatformNotSupportedException
    private static class SystemBackend
    {
        internal static SystemThreading.Semaphore Create(int initialCount, int maximumCount, string? name,
            NamedWaitHandleOptions? options, out bool createdNew)
        {
            if (options == null)
                return new SystemThreading.Semaphore(initialCount, maximumCount, name, out createdNew);
#if NET10_0_OR_GREATER
            return new SystemThreading.Semaphore(initialCount, maximumCount, name, options.Value, out createdNew);
#else
            throw Named.NotBeforeNet10();
#endif
        }

        internal static SystemThreading.Semaphore Open(string name, NamedWaitHandleOptions? options)
        {
            if (options == null)
                return SystemThreading.Semaphore.OpenExisting(name);
#if NET10_0_OR_GREATER
            return SystemThreading.Semaphore.OpenExisting(name, options.Value);
#else
            throw Named.NotBeforeNet10();
#endif
        }

        internal static bool TryOpen(string name, NamedWaitHandleOptions? options,
                                     [NotNullWhen(true)] out SystemThreading.Semaphore? result)
        {
            if (options == null)
                return SystemThreading.Semaphore.TryOpenExisting(name, out result);
#if NET10_0_OR_GREATER
            return SystemThreading.Semaphore.TryOpenExisting(name, options.Value, out result);
#else
            throw Named.NotBeforeNet10();
#endif
        }
    }
#pragma warning restore CA1416
}
