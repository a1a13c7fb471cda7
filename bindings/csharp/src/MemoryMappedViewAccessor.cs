using System;
using System.IO;

#if MMF_FACADE
namespace System.IO.MemoryMappedFiles;
#else
namespace Mmf;
#endif

/// <summary>
/// Random access to a view: System.IO.MemoryMappedFiles.MemoryMappedViewAccessor. Reading and
/// writing is .NET's own UnmanagedMemoryAccessor, on the bytes of a map of mmf's.
/// </summary>
public sealed class MemoryMappedViewAccessor : UnmanagedMemoryAccessor
{
    private readonly MappedView view;

    internal MemoryMappedViewAccessor(MappedView view)
    {
        this.view = view;
        Initialize(view.Handle, view.PointerOffset, view.Size, view.Access);
    }

    /// <summary>The view's bytes, for code that needs a pointer.</summary>
    public SafeMemoryMappedViewHandle SafeMemoryMappedViewHandle => view.Handle;

    /// <summary>How far behind the handle's pointer the view's first byte is.</summary>
    public long PointerOffset => view.PointerOffset;

    /// <summary>Writes changed bytes to the file, if the map has one.</summary>
    public void Flush()
    {
        if (!IsOpen)
            throw new ObjectDisposedException(nameof(MemoryMappedViewAccessor));
        view.Flush();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        try
        {
            if (disposing && !view.Handle.IsClosed && CanWrite)
                Flush();
        }
        finally
        {
            try
            {
                view.Close();
            }
            finally
            {
                base.Dispose(disposing);
            }
        }
    }
}
