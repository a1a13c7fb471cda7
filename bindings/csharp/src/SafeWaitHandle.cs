using System;
using System.ComponentModel;
using Microsoft.Win32.SafeHandles;

namespace Mmf;

/// <summary>A synchronisation object's handle: counts its users, so that a concurrent Dispose waits
/// for their end. On Linux its number means something to libmmf alone.</summary>
public sealed class SafeWaitHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    private readonly Failure.About kind;
    private readonly nint target; // mmf_mutex*, mmf_event*, mmf_semaphore*
    private readonly Channels.SharedChannel? channel;

    /// <summary>A handle of nothing.</summary>
    public SafeWaitHandle() : base(true)
    {
    }

    internal SafeWaitHandle(Failure.About kind, nint target) : base(true)
    {
        this.kind = kind;
        this.target = target;
        SetHandle(kind switch
        {
            Failure.About.Mutex => Native.mmf_mutex_waitable(target),
            Failure.About.Event => Native.mmf_event_waitable(target),
            _ => Native.mmf_semaphore_waitable(target),
        });
    }

    /// <summary>Stands for a handle of .NET's own, which stays its owner.</summary>
    internal SafeWaitHandle(Microsoft.Win32.SafeHandles.SafeWaitHandle system) : base(false) =>
        SetHandle(system.DangerousGetHandle());

    /// <summary>Stands for what a channel has to receive; the channel stays the owner.</summary>
    internal SafeWaitHandle(Channels.SharedChannel channel) : base(false)
    {
        this.channel = channel;
        kind = Failure.About.Channel;
    }

    internal Failure.About Kind => kind;

    /// <summary>The mmf_waitable*, which stays open until EndWait.</summary>
    internal nint BeginWait()
    {
        bool added = false;

        if (channel != null)
            return channel.EnterToWait();
        DangerousAddRef(ref added);
        return handle;
    }

    internal void EndWait()
    {
        if (channel != null)
            channel.Handle.Exit();
        else
            DangerousRelease();
    }

    /// <summary>Refused: on Linux the number is an address of libmmf's, which .NET's own waits take for
    /// something else.</summary>
    /// <returns>The number.</returns>
    [Obsolete("This number means nothing to .NET or to the system. Pass the WaitHandle itself, or use " +
              "SynchronizationContext.Wait with a handle of System.Threading.", true)]
    [EditorBrowsable(EditorBrowsableState.Never)]
    public new nint DangerousGetHandle() => handle;

    /// <summary>The mmf_mutex* or its like; only between DangerousAddRef and DangerousRelease.</summary>
    internal nint Target => target;

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        switch (kind)
        {
            case Failure.About.Mutex:
                Native.mmf_mutex_close(target);
                break;
            case Failure.About.Event:
                Native.mmf_event_close(target);
                break;
            default:
                Native.mmf_semaphore_close(target);
                break;
        }
        return true;
    }
}
