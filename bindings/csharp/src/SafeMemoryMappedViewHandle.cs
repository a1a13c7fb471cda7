using System.Runtime.InteropServices;
using SystemHandles = Microsoft.Win32.SafeHandles;

#if MMF_FACADE
namespace Microsoft.Win32.SafeHandles;
#else
namespace Mmf;
#endif

/// <summary>
/// A view's bytes, from the start of the mapping on, which the system aligns: the view's own
/// first byte is PointerOffset behind it. As a SafeBuffer it stays mapped while its pointer is
/// acquired.
/// </summary>
public sealed unsafe class SafeMemoryMappedViewHandle : SafeBuffer
{
    private readonly nint view;
    private readonly SystemHandles.SafeMemoryMappedViewHandle? system;

    /// <summary>A handle of nothing.</summary>
    public SafeMemoryMappedViewHandle() : base(true)
    {
    }

    /// <summary>Takes over a view of libmmf.</summary>
    internal SafeMemoryMappedViewHandle(nint view, out long pointerOffset, out long size) : base(true)
    {
        nint bytes;
        nuint length;

        Native.mmf_accessor_pointer(view, &bytes, &length);
        this.view = view;
        size = (long)length;
        pointerOffset = Native.mmf_accessor_pointer_offset(view);
        SetHandle(bytes - (nint)pointerOffset);
        Initialize((ulong)(size + pointerOffset));
    }

    /// <summary>Holds a view of .NET's own.</summary>
    internal SafeMemoryMappedViewHandle(SystemHandles.SafeMemoryMappedViewHandle system) : base(true)
    {
        byte* start = null;

        system.AcquirePointer(ref start);
        this.system = system;
        SetHandle((nint)start);
        Initialize(system.ByteLength);
    }

    /// <summary>Writes what was changed to the file, if the map has one.</summary>
    internal int Flush()
    {
        bool held = false;

        try
        {
            DangerousAddRef(ref held);
            return Native.mmf_accessor_flush(view);
        }
        finally
        {
            if (held)
                DangerousRelease();
        }
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        if (system != null)
        {
            system.ReleasePointer();
            system.Dispose();
        }
        else
        {
            Native.mmf_accessor_close(view);
        }
        return true;
    }
}
