// .NET 10 has this type; before, it is ours under the same name, so that the same source
// compiles, and what was compiled for an older framework runs on a newer one.
#if NET10_0_OR_GREATER
using System.Runtime.CompilerServices;
using System.Threading;

[assembly: TypeForwardedTo(typeof(NamedWaitHandleOptions))]
#else
namespace System.Threading;

/// <summary>Which processes share a named mutex, event or semaphore.</summary>
public struct NamedWaitHandleOptions
{
    private bool everyUser;
    private bool everySession;

    /// <summary>Whether only this user can find the object; the default.</summary>
    public bool CurrentUserOnly
    {
        readonly get => !everyUser;
        set => everyUser = !value;
    }

    /// <summary>Whether the name is a Local one, the default, or a Global one.</summary>
    public bool CurrentSessionOnly
    {
        readonly get => !everySession;
        set => everySession = !value;
    }
}
#endif
