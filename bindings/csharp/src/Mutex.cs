using System;
using System.Diagnostics.CodeAnalysis;
using System.IO;
using System.Runtime.Versioning;
using System.Threading;
using static Mmf.Failure;
using SystemThreading = System.Threading;

namespace Mmf;

/// <summary>
/// A mutex, owned by a thread: System.Threading.Mutex, with names that C programs share. If its
/// owner dies, thread or process, the next waiter gets it with an AbandonedMutexException.
/// </summary>
public sealed unsafe class Mutex : WaitHandle
{
    internal Mutex(Made made) : base(made)
    {
    }

    /// <summary>An unnamed mutex that no thread owns.</summary>
    public Mutex() : this(false)
    {
    }

    /// <summary>An unnamed mutex.</summary>
    /// <param name="initiallyOwned">Whether this thread owns a new one.</param>
    public Mutex(bool initiallyOwned) : this(initiallyOwned, null)
    {
    }

    /// <summary>Creates or opens the mutex of that name; null or "" makes an unnamed one.</summary>
    /// <param name="initiallyOwned">Whether this thread owns a new one.</param>
    /// <param name="name">A name, Local\ or Global\ before it; null or "" for none.</param>
    /// <exception cref="WaitHandleCannotBeOpenedException">The name belongs to another kind of object.</exception>
    /// <exception cref="UnauthorizedAccessException">The object is another user's, who does not permit
    /// it.</exception>
    public Mutex(bool initiallyOwned, string? name) : this(initiallyOwned, name, out _)
    {
    }

    /// <summary>Creates or opens the mutex of that name; it is owned only if this call created it.</summary>
    /// <param name="initiallyOwned">Whether this thread owns a new one.</param>
    /// <param name="name">A name, Local\ or Global\ before it; null or "" for none.</param>
    /// <param name="createdNew">Whether this call created it.</param>
    /// <exception cref="WaitHandleCannotBeOpenedException">The name belongs to another kind of object.</exception>
    /// <exception cref="UnauthorizedAccessException">The object is another user's, who does not permit
    /// it.</exception>
    public Mutex(bool initiallyOwned, string? name, out bool createdNew)
        : base(Create(initiallyOwned, name, null, out createdNew))
    {
    }

    /// <summary>Creates or opens the mutex of that name, shared as the options say.</summary>
    /// <param name="name">A name, Local\ or Global\ before it; null or "" for none.</param>
    /// <param name="options">Whom the name is shared with.</param>
    /// <exception cref="WaitHandleCannotBeOpenedException">The name belongs to another kind of object, or its object
    /// is not for this user alone, as the options ask.</exception>
    /// <exception cref="UnauthorizedAccessException">The object is another user's, who does not permit
    /// it.</exception>
    /// <exception cref="ArgumentException">The prefix contradicts the options.</exception>
    public Mutex(string? name, NamedWaitHandleOptions options) : this(false, name, options)
    {
    }

    /// <summary>Creates or opens the mutex of that name, shared as the options say.</summary>
    /// <param name="initiallyOwned">Whether this thread owns a new one.</param>
    /// <param name="name">A name, Local\ or Global\ before it; null or "" for none.</param>
    /// <param name="options">Whom the name is shared with.</param>
    /// <exception cref="WaitHandleCannotBeOpenedException">The name belongs to another kind of object, or its object
    /// is not for this user alone, as the options ask.</exception>
    /// <exception cref="UnauthorizedAccessException">The object is another user's, who does not permit
    /// it.</exception>
    /// <exception cref="ArgumentException">The prefix contradicts the options.</exception>
    public Mutex(bool initiallyOwned, string? name, NamedWaitHandleOptions options)
        : this(initiallyOwned, name, options, out _)
    {
    }

    /// <summary>Creates or opens the mutex of that name, shared as the options say.</summary>
    /// <param name="initiallyOwned">Whether this thread owns a new one.</param>
    /// <param name="name">A name, Local\ or Global\ before it; null or "" for none.</param>
    /// <param name="options">Whom the name is shared with.</param>
    /// <param name="createdNew">Whether this call created it.</param>
    /// <exception cref="WaitHandleCannotBeOpenedException">The name belongs to another kind of object, or its object
    /// is not for this user alone, as the options ask.</exception>
    /// <exception cref="UnauthorizedAccessException">The object is another user's, who does not permit
    /// it.</exception>
    /// <exception cref="ArgumentException">The prefix contradicts the options.</exception>
    public Mutex(bool initiallyOwned, string? name, NamedWaitHandleOptions options, out bool createdNew)
        : base(Create(initiallyOwned, name, options, out createdNew))
    {
    }

    /// <summary>Opens the mutex of that name, or creates one that other users may open, too.</summary>
    /// <param name="initiallyOwned">Whether this thread owns a new one.</param>
    /// <param name="name">A name; other users find those that begin with Global\.</param>
    /// <param name="createdNew">Whether this call created it.</param>
    /// <param name="unixCreateMode">Who may use a new one, whatever the process's umask: read and write.</param>
    /// <exception cref="WaitHandleCannotBeOpenedException">The name belongs to another kind of object.</exception>
    /// <exception cref="UnauthorizedAccessException">The object is another user's, who does not permit
    /// it.</exception>
    /// <exception cref="ArgumentException">A mode of no user, or with other bits than read, write and execute.</exception>
    /// <exception cref="PlatformNotSupportedException">On Windows.</exception>
    [UnsupportedOSPlatform("windows")]
    public Mutex(bool initiallyOwned, string name, out bool createdNew, UnixFileMode unixCreateMode)
        : base(Create(initiallyOwned, new Named(name, unixCreateMode), out createdNew))
    {
    }

    private static Made Create(bool initiallyOwned, string? name, NamedWaitHandleOptions? options,
                               out bool createdNew)
    {
        if (Backend.IsSystem)
            return new Made(null, SystemBackend.Create(initiallyOwned, name, options, out createdNew));
        return Create(initiallyOwned, new Named(name, options), out createdNew);
    }

    internal static Made Create(bool initiallyOwned, Named named, out bool createdNew)
    {
        if (initiallyOwned)
            Owners.Note();
        Native.SyncOptions settings = named.Options;
        int created;
        nint target;
        Check(Native.mmf_mutex_create_or_open(named.Name, initiallyOwned ? 1 : 0, &settings, &created, &target),
              About.Mutex);
        createdNew = created != 0;
        return new Made(new SafeWaitHandle(About.Mutex, target), null);
    }

    /// <summary>Releases the mutex; as often as it was taken.</summary>
    /// <exception cref="ApplicationException">This thread does not own it.</exception>
    public void ReleaseMutex()
    {
        if (System is SystemThreading.Mutex system)
            system.ReleaseMutex();
        else
            Do(&Native.mmf_mutex_release);
    }

    private protected override void Signal() => ReleaseMutex();

    /// <summary>An object of .NET's own as one of ours; both are the same object.</summary>
    /// <param name="handle">A System.Threading.Mutex, or null.</param>
    /// <returns>One of ours, whose Dispose disposes the other.</returns>
    /// <exception cref="InvalidCastException">It is of another kind.</exception>
    [return: NotNullIfNotNull(nameof(handle))]
    public static explicit operator Mutex?(SystemThreading.WaitHandle? handle) =>
        handle != null ? new Mutex(Wrap<SystemThreading.Mutex>(handle)) : null;

    //
    // Opening.
    //

    /// <summary>Opens the mutex of that name.</summary>
    /// <param name="name">The name, Local\ or Global\ before it.</param>
    /// <returns>The object.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    /// <exception cref="WaitHandleCannotBeOpenedException">There is no such object, or the name belongs to another
    /// kind of object.</exception>
    public static Mutex OpenExisting(string name) => Open(name, null);

    /// <summary>Opens the mutex of that name, among those that the options find.</summary>
    /// <param name="name">The name, Local\ or Global\ before it.</param>
    /// <param name="options">Whom the name is shared with.</param>
    /// <returns>The object.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    /// <exception cref="WaitHandleCannotBeOpenedException">There is no such object, or the name belongs to another
    /// kind of object.</exception>
    public static Mutex OpenExisting(string name, NamedWaitHandleOptions options) => Open(name, options);

    /// <summary>Opens the mutex of that name; false if there is no such object.</summary>
    /// <param name="name">The name, Local\ or Global\ before it.</param>
    /// <param name="result">The object, or null.</param>
    /// <returns>Whether there is one.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty.</exception>
    public static bool TryOpenExisting(string name, [NotNullWhen(true)] out Mutex? result) =>
        TryOpen(name, null, out result);

    /// <summary>Opens the mutex of that name, among those that the options find; false if there is no such object.</summary>
    /// <param name="name">The name, Local\ or Global\ before it.</param>
    /// <param name="options">Whom the name is shared with.</param>
    /// <param name="result">The object, or null.</param>
    /// <returns>Whether there is one.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty.</exception>
    public static bool TryOpenExisting(string name, NamedWaitHandleOptions options,
                                       [NotNullWhen(true)] out Mutex? result) =>
        TryOpen(name, options, out result);

    /// <summary>Opens the mutex of that name if there is one, or will be in time.</summary>
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
    public static bool TryOpenExisting(string name, [NotNullWhen(true)] out Mutex? result, TimeSpan timeout) =>
        TryOpen(new Named(name, timeout), out result);

    private static Mutex Open(string name, NamedWaitHandleOptions? options) =>
        new(Backend.IsSystem ? new Made(null, SystemBackend.Open(name, options))
                             : new Named(name, options).Open(About.Mutex, Native.mmf_mutex_open_existing));

    private static bool TryOpen(string name, NamedWaitHandleOptions? options, [NotNullWhen(true)] out Mutex? result)
    {
        if (!Backend.IsSystem)
            return TryOpen(new Named(name, options), out result);
        result = SystemBackend.TryOpen(name, options, out SystemThreading.Mutex? system)
            ? new Mutex(new Made(null, system))
            : null;
        return result != null;
    }

    private static bool TryOpen(Named named, [NotNullWhen(true)] out Mutex? result)
    {
        result = named.TryOpen(About.Mutex, Native.mmf_mutex_open_existing) is { } made ? new Mutex(made) : null;
        return result != null;
    }

    // .NET's own, where the system has names.
#pragma warning disable CA1416 // a call on Linux gets .NET's PlatformNotSupportedException
    private static class SystemBackend
    {
        internal static SystemThreading.Mutex Create(bool initiallyOwned, string? name,
            NamedWaitHandleOptions? options, out bool createdNew)
        {
            if (options == null)
                return new SystemThreading.Mutex(initiallyOwned, name, out createdNew);
#if NET10_0_OR_GREATER
            return new SystemThreading.Mutex(initiallyOwned, name, options.Value, out createdNew);
#else
            throw Named.NotBeforeNet10();
#endif
        }

        internal static SystemThreading.Mutex Open(string name, NamedWaitHandleOptions? options)
        {
            if (options == null)
                return SystemThreading.Mutex.OpenExisting(name);
#if NET10_0_OR_GREATER
            return SystemThreading.Mutex.OpenExisting(name, options.Value);
#else
            throw Named.NotBeforeNet10();
#endif
        }

        internal static bool TryOpen(string name, NamedWaitHandleOptions? options,
                                     [NotNullWhen(true)] out SystemThreading.Mutex? result)
        {
            if (options == null)
                return SystemThreading.Mutex.TryOpenExisting(name, out result);
#if NET10_0_OR_GREATER
            return SystemThreading.Mutex.TryOpenExisting(name, options.Value, out result);
#else
            throw Named.NotBeforeNet10();
#endif
        }
    }
#pragma warning restore CA1416
}
