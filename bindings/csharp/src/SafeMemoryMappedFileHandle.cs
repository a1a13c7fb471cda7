using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

#if MMF_FACADE
namespace Microsoft.Win32.SafeHandles;
#else
namespace Mmf;
#endif

/// <summary>
/// A map's handle. <see cref="SafeHandle.DangerousGetHandle"/> is the system's own: a
/// descriptor on Linux, a section on Windows.
/// </summary>
public sealed class SafeMemoryMappedFileHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    private readonly nint map;

    /// <summary>A handle of nothing.</summary>
    public SafeMemoryMappedFileHandle() : base(true)
    {
    }

    /// <summary>Takes over a map.</summary>
    internal unsafe SafeMemoryMappedFileHandle(nint map) : base(true)
    {
        nint native;

        this.map = map;
        if (Native.mmf_map_native_handle(map, &native) >= 0)
            SetHandle(native);
    }

    /// <summary>Stands for a handle of .NET's own, which stays its owner.</summary>
    internal SafeMemoryMappedFileHandle(SafeHandle system) : base(false) =>
        SetHandle(system.DangerousGetHandle());

    /// <summary>The mmf*; only between DangerousAddRef and DangerousRelease.</summary>
    internal nint Map => map;

    /// <inheritdoc/>
    // A descriptor is 0 if the program had closed its input; it is a handle nevertheless.
    public override bool IsInvalid => map == 0 && base.IsInvalid;

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        Native.mmf_map_close(map);
        return true;
    }
}
