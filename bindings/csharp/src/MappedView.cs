// What an accessor and a stream have in common: the view and how it is flushed and closed.
using System;
using System.IO;

namespace Mmf;

internal sealed class MappedView
{
    private readonly IDisposable? system; // .NET's own accessor, which flushes for us

    internal MappedView(nint view, MemoryMappedFileAccess access)
    {
        Handle = new SafeMemoryMappedViewHandle(view, out long pointerOffset, out long size);
        PointerOffset = pointerOffset;
        Size = size;
        Access = FileAccessOf(access);
    }

    internal MappedView(System.IO.MemoryMappedFiles.MemoryMappedViewAccessor accessor,
                        MemoryMappedFileAccess access)
    {
        Handle = new SafeMemoryMappedViewHandle(accessor.SafeMemoryMappedViewHandle);
        PointerOffset = accessor.PointerOffset;
        Size = accessor.Capacity;
        Access = FileAccessOf(access);
        system = accessor;
    }

    internal SafeMemoryMappedViewHandle Handle { get; }
    internal long PointerOffset { get; }
    internal long Size { get; }
    internal FileAccess Access { get; }

    internal void Flush()
    {
        if (system is System.IO.MemoryMappedFiles.MemoryMappedViewAccessor accessor)
        {
            accessor.Flush();
            return;
        }
        Failure.Check(Handle.Flush(), Failure.About.Map);
    }

    internal void Close()
    {
        Handle.Dispose();
        system?.Dispose();
    }

    private static FileAccess FileAccessOf(MemoryMappedFileAccess access) => access switch
    {
        MemoryMappedFileAccess.Read or MemoryMappedFileAccess.ReadExecute => FileAccess.Read,
        MemoryMappedFileAccess.Write => FileAccess.Write,
        _ => FileAccess.ReadWrite,
    };
}
