// What named mutexes, events and semaphores have in common: whom a name is shared with, and
// opening one.
using System;
using System.IO;
using System.Threading;
using static Mmf.Failure;

namespace Mmf;

/// <summary>A name and the options that go with it, as libmmf takes them.</summary>
internal readonly ref struct Named
{
    internal readonly string? Name;
    internal readonly Native.SyncOptions Options;

    /// <summary>Without options the name's prefix decides. With them it must agree with
    /// CurrentSessionOnly, and is added where the name has none.</summary>
    internal Named(string? name, NamedWaitHandleOptions? options)
    {
        Name = name;
        Options = new Native.SyncOptions();
        if (options is not { } given || string.IsNullOrEmpty(name))
            return;
        Name = WithPrefix(name, given.CurrentSessionOnly);
        Options.ThisUserOnly = given.CurrentUserOnly ? 1 : 0;
    }

    /// <summary>The mode of a new object, for other users.</summary>
    internal Named(string? name, UnixFileMode unixCreateMode)
        : this(name, new Native.SyncOptions { Mode = Mode(unixCreateMode) })
    {
    }

    /// <summary>A name to wait for.</summary>
    internal Named(string? name, TimeSpan timeout)
        : this(name, new Native.SyncOptions { WaitMilliseconds = Channels.SharedChannelOptions.Milliseconds(timeout) }) =>
        Backend.NeedLibrary("wait for a name");

    /// <summary>With libmmf's own options.</summary>
    internal Named(string? name, Native.SyncOptions options)
    {
        Name = name;
        Options = options;
    }

    /// <summary>The bits; in C 0 stands for the default.</summary>
    internal static uint Mode(UnixFileMode unixCreateMode)
    {
        const UnixFileMode known = (UnixFileMode)0x1FF;

        Backend.NeedLibrary("have a Unix file mode: use an overload without it");
        if (unixCreateMode == 0 || (unixCreateMode & ~known) != 0)
            throw new ArgumentException($"Invalid mode {unixCreateMode}: read, write and execute of at least one user.",
                                        nameof(unixCreateMode));
        return (uint)unixCreateMode;
    }

    private static string WithPrefix(string name, bool currentSessionOnly)
    {
        bool isLocal = name.StartsWith(Local, StringComparison.Ordinal);
        bool isGlobal = name.StartsWith(Global, StringComparison.Ordinal);

        if (currentSessionOnly ? isGlobal : isLocal)
            throw new ArgumentException($"name \"{name}\": the prefix contradicts CurrentSessionOnly = " +
                                        currentSessionOnly, nameof(name));
        if (isLocal || isGlobal)
            return name;
        if (currentSessionOnly && name.Contains('\\'))
            throw new ArgumentException($"name \"{name}\": with CurrentSessionOnly the only prefix is Local\\",
                                        nameof(name));
        return (currentSessionOnly ? Local : Global) + name;
    }

    private const string Local = "Local\\", Global = "Global\\";

    /// <summary>One of the mmf_..._open_existing.</summary>
    internal unsafe delegate int Opener(string? name, Native.SyncOptions* options, nint* target);

    /// <summary>Opens the object.</summary>
    internal unsafe WaitHandle.Made Open(About about, Opener open)
    {
        nint target;

        Check(Call(open, &target), about);
        return new WaitHandle.Made(new SafeWaitHandle(about, target), null);
    }

    /// <summary>The same; null where .NET's TryOpenExisting answers false.</summary>
    internal unsafe WaitHandle.Made? TryOpen(About about, Opener open)
    {
        nint target;
        int rc = Call(open, &target);

        if (rc is NotFound or WrongKind or PathNotFound)
            return null;
        Check(rc, about);
        return new WaitHandle.Made(new SafeWaitHandle(about, target), null);
    }

    private unsafe int Call(Opener open, nint* target)
    {
        fixed (Native.SyncOptions* options = &Options)
            return open(Name, options, target);
    }

    internal static PlatformNotSupportedException NotBeforeNet10() =>
        new("NamedWaitHandleOptions need .NET 10 on Windows.");
}
