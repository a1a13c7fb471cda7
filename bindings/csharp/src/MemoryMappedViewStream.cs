using System;
using System.IO;

#if MMF_FACADE
namespace System.IO.MemoryMappedFiles;
#else
namespace Mmf;
#endif

/// <summary>
/// A view with a position: System.IO.MemoryMappedFiles.MemoryMappedViewStream. Reading, writing
/// and seeking is .NET's own UnmanagedMemoryStream, on the bytes of a map of mmf's.
/// </summary>
public sealed class MemoryMappedViewStream : UnmanagedMemoryStream
{
    private readonly MappedView view;

    internal MemoryMappedViewStream(MappedView view)
    {
        this.view = view;
        Initialize(view.Handle, view.PointerOffset, view.Size, view.Access);
    }

    /// <summary>The view's bytes, for code that needs a pointer.</summary>
    public SafeMemoryMappedViewHandle SafeMemoryMappedViewHandle => view.Handle;

    /// <summary>How far behind the handle's pointer the view's first byte is.</summary>
    public long PointerOffset => view.PointerOffset;

    /// <summary>Always refused: a view has its size for life.</summary>
    /// <param name="value">Any length.</param>
    public override void SetLength(long value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        throw new NotSupportedException("A view of a memory-mapped file cannot change its length.");
    }

    /// <summary>Writes changed bytes to the file, if the map has one.</summary>
    public override void Flush()
    {
        if (!CanSeek)
            throw new ObjectDisposedException(nameof(MemoryMappedViewStream));
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
