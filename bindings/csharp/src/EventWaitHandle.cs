using System;
using System.Diagnostics.CodeAnalysis;
using System.IO;
using System.Runtime.Versioning;
using System.Threading;
using static Mmf.Failure;
using SystemThreading = System.Threading;

namespace Mmf;

/// <summary>
/// An event: System.Threading.EventWaitHandle, with names on Linux.
/// </summary>
public unsafe class EventWaitHandle : WaitHandle
{
    internal EventWaitHandle(Made made) : base(made)
    {
    }

    /// <summary>An unnamed event.</summary>
    /// <param name="initialState">Whether a new one is set.</param>
    /// <param name="mode">Whether a new one wakes one waiter for each Set, or all until Reset.</param>
    public EventWaitHandle(bool initialState, EventResetMode mode) : this(initialState, mode, null)
    {
    }

    /// <summary>Creates or opens the event of that name; null or "" makes an unnamed one.</summary>
    /// <param name="initialState">Whether a new one is set.</param>
    /// <param name="mode">Whether a new one wakes one waiter for each Set, or all until Reset.</param>
    /// <param name="name">A name, Local\ or Global\ before it; null or "" for none.</param>
    /// <exception cref="WaitHandleCannotBeOpenedException">The name belongs to another kind of object.</exception>
    /// <exception cref="UnauthorizedAccessException">The object is another user's, who does not permit
    /// it.</exception>
    public EventWaitHandle(bool initialState, EventResetMode mode, string? name)
        : this(initialState, mode, name, out _)
    {
    }

    /// <summary>Creates or opens the event of that name; opening it keeps its state and mode.</summary>
    /// <param name="initialState">Whether a new one is set.</param>
    /// <param name="mode">Whether a new one wakes one waiter for each Set, or all until Reset.</param>
    /// <param name="name">A name, Local\ or Global\ before it; null or "" for none.</param>
    /// <param name="createdNew">Whether this call created it.</param>
    /// <exception cref="WaitHandleCannotBeOpenedException">The name belongs to another kind of object.</exception>
    /// <exception cref="UnauthorizedAccessException">The object is another user's, who does not permit
    /// it.</exception>
    public EventWaitHandle(bool initialState, EventResetMode mode, string? name, out bool createdNew)
        : base(Create(initialState, mode, name, null, out createdNew))
    {
    }

    /// <summary>Creates or opens the event of that name, shared as the options say.</summary>
    /// <param name="initialState">Whether a new one is set.</param>
    /// <param name="mode">Whether a new one wakes one waiter for each Set, or all until Reset.</param>
    /// <param name="name">A name, Local\ or Global\ before it; null or "" for none.</param>
    /// <param name="options">Whom the name is shared with.</param>
    /// <exception cref="WaitHandleCannotBeOpenedException">The name belongs to another kind of object, or its object
    /// is not for this user alone, as the options ask.</exception>
    /// <exception cref="UnauthorizedAccessException">The object is another user's, who does not permit
    /// it.</exception>
    /// <exception cref="ArgumentException">The prefix contradicts the options.</exception>
    public EventWaitHandle(bool initialState, EventResetMode mode, string? name,
                           NamedWaitHandleOptions options)
        : this(initialState, mode, name, options, out _)
    {
    }

    /// <summary>Creates or opens the event of that name, shared as the options say.</summary>
    /// <param name="initialState">Whether a new one is set.</param>
    /// <param name="mode">Whether a new one wakes one waiter for each Set, or all until Reset.</param>
    /// <param name="name">A name, Local\ or Global\ before it; null or "" for none.</param>
    /// <param name="options">Whom the name is shared with.</param>
    /// <param name="createdNew">Whether this call created it.</param>
    /// <exception cref="WaitHandleCannotBeOpenedException">The name belongs to another kind of object, or its object
    /// is not for this user alone, as the options ask.</exception>
    /// <exception cref="UnauthorizedAccessException">The object is another user's, who does not permit
    /// it.</exception>
    /// <exception cref="ArgumentException">The prefix contradicts the options.</exception>
    public EventWaitHandle(bool initialState, EventResetMode mode, string? name,
                           NamedWaitHandleOptions options, out bool createdNew)
        : base(Create(initialState, mode, name, options, out createdNew))
    {
    }

    /// <summary>Opens the event of that name, or creates one that other users may open, too.</summary>
    /// <param name="initialState">Whether a new one is set.</param>
    /// <param name="mode">Whether a new one wakes one waiter or all.</param>
    /// <param name="name">A name; other users find those that begin with Global\.</param>
    /// <param name="createdNew">Whether this call created it.</param>
    /// <param name="unixCreateMode">Who may use a new one, whatever the process's umask: read and write.</param>
    /// <exception cref="WaitHandleCannotBeOpenedException">The name belongs to another kind of object.</exception>
    /// <exception cref="UnauthorizedAccessException">The object is another user's, who does not permit
    /// it.</exception>
    /// <exception cref="ArgumentException">A mode of no user, or with other bits than read, write and execute.</exception>
    /// <exception cref="PlatformNotSupportedException">On Windows.</exception>
    [UnsupportedOSPlatform("windows")]
    public EventWaitHandle(bool initialState, EventResetMode mode, string name, out bool createdNew, UnixFileMode unixCreateMode)
        : base(Create(initialState, mode, new Named(name, unixCreateMode), out createdNew))
    {
    }

    private static Made Create(bool initialState, EventResetMode mode, string? name,
                               NamedWaitHandleOptions? options, out bool createdNew)
    {
        if (Backend.IsSystem)
            return new Made(null, SystemBackend.Create(initialState, mode, name, options, out createdNew));
        return Create(initialState, mode, new Named(name, options), out createdNew);
    }

    internal static Made Create(bool initialState, EventResetMode mode, Named named, out bool createdNew)
    {
        Native.SyncOptions settings = named.Options;
        int created;
        nint target;
        Check(Native.mmf_event_create_or_open(named.Name, initialState ? 1 : 0, (int)mode, &settings, &created,
                                              &target), About.Event);
        createdNew = created != 0;
        return new Made(new SafeWaitHandle(About.Event, target), null);
    }

    /// <summary>Wakes waiters: one of an auto-reset event, all of a manual-reset one.</summary>
    /// <returns>True.</returns>
    /// <exception cref="ObjectDisposedException">It is closed.</exception>
    public bool Set()
    {
        if (System is SystemThreading.EventWaitHandle system)
            return system.Set();
        Do(&Native.mmf_event_set);
        return true;
    }

    /// <summary>Ends the signal: later waits sleep.</summary>
    /// <returns>True.</returns>
    /// <exception cref="ObjectDisposedException">It is closed.</exception>
    public bool Reset()
    {
        if (System is SystemThreading.EventWaitHandle system)
            return system.Reset();
        Do(&Native.mmf_event_reset);
        return true;
    }

    private protected override void Signal() => Set();

    /// <summary>An object of .NET's own as one of ours; both are the same object.</summary>
    /// <param name="handle">A System.Threading.EventWaitHandle, or null.</param>
    /// <returns>One of ours, whose Dispose disposes the other.</returns>
    /// <exception cref="InvalidCastException">It is of another kind.</exception>
    [return: NotNullIfNotNull(nameof(handle))]
    public static explicit operator EventWaitHandle?(SystemThreading.WaitHandle? handle) =>
        handle != null ? new EventWaitHandle(Wrap<SystemThreading.EventWaitHandle>(handle)) : null;

    //
    // Opening.
    //

    /// <summary>Opens the event of that name.</summary>
    /// <param name="name">The name, Local\ or Global\ before it.</param>
    /// <returns>The object.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    /// <exception cref="WaitHandleCannotBeOpenedException">There is no such object, or the name belongs to another
    /// kind of object.</exception>
    public static EventWaitHandle OpenExisting(string name) => Open(name, null);

    /// <summary>Opens the event of that name, among those that the options find.</summary>
    /// <param name="name">The name, Local\ or Global\ before it.</param>
    /// <param name="options">Whom the name is shared with.</param>
    /// <returns>The object.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    /// <exception cref="WaitHandleCannotBeOpenedException">There is no such object, or the name belongs to another
    /// kind of object.</exception>
    public static EventWaitHandle OpenExisting(string name, NamedWaitHandleOptions options) => Open(name, options);

    /// <summary>Opens the event of that name; false if there is no such object.</summary>
    /// <param name="name">The name, Local\ or Global\ before it.</param>
    /// <param name="result">The object, or null.</param>
    /// <returns>Whether there is one.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty.</exception>
    public static bool TryOpenExisting(string name, [NotNullWhen(true)] out EventWaitHandle? result) =>
        TryOpen(name, null, out result);

    /// <summary>Opens the event of that name, among those that the options find; false if there is no such object.</summary>
    /// <param name="name">The name, Local\ or Global\ before it.</param>
    /// <param name="options">Whom the name is shared with.</param>
    /// <param name="result">The object, or null.</param>
    /// <returns>Whether there is one.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty.</exception>
    public static bool TryOpenExisting(string name, NamedWaitHandleOptions options,
                                       [NotNullWhen(true)] out EventWaitHandle? result) =>
        TryOpen(name, options, out result);

    /// <summary>Opens the event of that name if there is one, or will be in time.</summary>
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
    public static bool TryOpenExisting(string name, [NotNullWhen(true)] out EventWaitHandle? result, TimeSpan timeout) =>
        TryOpen(new Named(name, timeout), out result);

    private static EventWaitHandle Open(string name, NamedWaitHandleOptions? options) =>
        new(Backend.IsSystem ? new Made(null, SystemBackend.Open(name, options))
                             : new Named(name, options).Open(About.Event, Native.mmf_event_open_existing));

    private static bool TryOpen(string name, NamedWaitHandleOptions? options, [NotNullWhen(true)] out EventWaitHandle? result)
    {
        if (!Backend.IsSystem)
            return TryOpen(new Named(name, options), out result);
        result = SystemBackend.TryOpen(name, options, out SystemThreading.EventWaitHandle? system)
            ? new EventWaitHandle(new Made(null, system))
            : null;
        return result != null;
    }

    private static bool TryOpen(Named named, [NotNullWhen(true)] out EventWaitHandle? result)
    {
        result = named.TryOpen(About.Event, Native.mmf_event_open_existing) is { } made ? new EventWaitHandle(made) : null;
        return result != null;
    }

    // .NET's own, where the system has names.
#pragma warning disable CA1416 // a call on Linux gets .NET's PlatformNotSupportedException
    private static class SystemBackend
    {
        internal static SystemThreading.EventWaitHandle Create(bool initialState, EventResetMode mode, string? name,
            NamedWaitHandleOptions? options, out bool createdNew)
        {
            if (options == null)
                return new SystemThreading.EventWaitHandle(initialState, mode, name, out createdNew);
#if NET10_0_OR_GREATER
            return new SystemThreading.EventWaitHandle(initialState, mode, name, options.Value, out createdNew);
#else
            throw Named.NotBeforeNet10();
#endif
        }

        internal static SystemThreading.EventWaitHandle Open(string name, NamedWaitHandleOptions? options)
        {
            if (options == null)
                return SystemThreading.EventWaitHandle.OpenExisting(name);
#if NET10_0_OR_GREATER
            return SystemThreading.EventWaitHandle.OpenExisting(name, options.Value);
#else
            throw Named.NotBeforeNet10();
#endif
        }

        internal static bool TryOpen(string name, NamedWaitHandleOptions? options,
                                     [NotNullWhen(true)] out SystemThreading.EventWaitHandle? result)
        {
            if (options == null)
                return SystemThreading.EventWaitHandle.TryOpenExisting(name, out result);
#if NET10_0_OR_GREATER
            return SystemThreading.EventWaitHandle.TryOpenExisting(name, options.Value, out result);
#else
            throw Named.NotBeforeNet10();
#endif
        }
    }
#pragma warning restore CA1416
}

/// <summary>An unnamed event that wakes one waiter for each Set.</summary>
public sealed class AutoResetEvent : EventWaitHandle
{
    /// <summary>An unnamed event.</summary>
    /// <param name="initialState">Whether a new one is set.</param>
    public AutoResetEvent(bool initialState) : base(initialState, EventResetMode.AutoReset)
    {
    }

    private AutoResetEvent(Made made) : base(made)
    {
    }

    /// <summary>An object of .NET's own as one of ours; both are the same object.</summary>
    /// <param name="handle">A System.Threading.AutoResetEvent, or null.</param>
    /// <returns>One of ours, whose Dispose disposes the other.</returns>
    /// <exception cref="InvalidCastException">It is of another kind.</exception>
    [return: NotNullIfNotNull(nameof(handle))]
    public static explicit operator AutoResetEvent?(SystemThreading.WaitHandle? handle) =>
        handle != null ? new AutoResetEvent(Wrap<SystemThreading.AutoResetEvent>(handle)) : null;
}

/// <summary>An unnamed event that wakes every waiter from Set to Reset.</summary>
public sealed class ManualResetEvent : EventWaitHandle
{
    /// <summary>An unnamed event.</summary>
    /// <param name="initialState">Whether a new one is set.</param>
    public ManualResetEvent(bool initialState) : base(initialState, EventResetMode.ManualReset)
    {
    }

    private ManualResetEvent(Made made) : base(made)
    {
    }

    /// <summary>An object of .NET's own as one of ours; both are the same object.</summary>
    /// <param name="handle">A System.Threading.ManualResetEvent, or null.</param>
    /// <returns>One of ours, whose Dispose disposes the other.</returns>
    /// <exception cref="InvalidCastException">It is of another kind.</exception>
    [return: NotNullIfNotNull(nameof(handle))]
    public static explicit operator ManualResetEvent?(SystemThreading.WaitHandle? handle) =>
        handle != null ? new ManualResetEvent(Wrap<SystemThreading.ManualResetEvent>(handle)) : null;
}
