using System;
using System.Threading;

namespace Mmf;

internal static unsafe class SyncOptions
{
    internal static Native.SyncOptions Of(NamedWaitHandleOptions? options) => options is not { } given ? default : new()
    {
        Size = (uint)sizeof(Native.SyncOptions),
        CurrentUserOnly = given.CurrentUserOnly ? 1 : 0,
        CurrentSessionOnly = given.CurrentSessionOnly ? 1 : 0,
    };

    internal static PlatformNotSupportedException NotBeforeNet10() =>
        new("NamedWaitHandleOptions need .NET 10 on Windows.");
}
