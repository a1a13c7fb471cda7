// The two sides: .NET's maps and ours, as far as they have no type in common. Accessors and
// streams have: both derive from UnmanagedMemoryAccessor and UnmanagedMemoryStream.
using System;
using System.IO;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using SystemMaps = System.IO.MemoryMappedFiles;

namespace Mmf.Tests.Differential;

internal abstract class Side
{
    internal abstract IDisposable CreateNew(string? name, long capacity, int access, int options, int inheritability);
    internal abstract IDisposable CreateNew(long capacity);
    internal abstract IDisposable FromPath(string path, FileMode mode, string? name, long capacity, int access);
    internal abstract IDisposable FromStream(FileStream file, string? name, long capacity, int access,
                                             int inheritability, bool leaveOpen);
    internal abstract IDisposable FromHandle(SafeFileHandle file, string? name, long capacity, int access,
                                             int inheritability, bool leaveOpen);
    internal abstract UnmanagedMemoryAccessor Accessor(IDisposable map, long offset, long size, int access);
    internal abstract UnmanagedMemoryStream Stream(IDisposable map, long offset, long size, int access);
    internal abstract bool IsClosed(IDisposable map);
    internal abstract void Flush(UnmanagedMemoryAccessor view);
    internal abstract (long PointerOffset, SafeBuffer Handle) About(IDisposable view);
}

internal sealed class Dotnets : Side
{
    internal override IDisposable CreateNew(string? name, long capacity, int access, int options, int inheritability) =>
        SystemMaps.MemoryMappedFile.CreateNew(name, capacity, (SystemMaps.MemoryMappedFileAccess)access,
                                              (SystemMaps.MemoryMappedFileOptions)options,
                                              (HandleInheritability)inheritability);

    internal override IDisposable CreateNew(long capacity) => SystemMaps.MemoryMappedFile.CreateNew(null, capacity);

    internal override IDisposable FromPath(string path, FileMode mode, string? name, long capacity, int access) =>
        SystemMaps.MemoryMappedFile.CreateFromFile(path, mode, name, capacity,
                                                   (SystemMaps.MemoryMappedFileAccess)access);

    internal override IDisposable FromStream(FileStream file, string? name, long capacity, int access,
                                             int inheritability, bool leaveOpen) =>
        SystemMaps.MemoryMappedFile.CreateFromFile(file, name, capacity, (SystemMaps.MemoryMappedFileAccess)access,
                                                   (HandleInheritability)inheritability, leaveOpen);

    internal override IDisposable FromHandle(SafeFileHandle file, string? name, long capacity, int access,
                                             int inheritability, bool leaveOpen) =>
        SystemMaps.MemoryMappedFile.CreateFromFile(file, name, capacity, (SystemMaps.MemoryMappedFileAccess)access,
                                                   (HandleInheritability)inheritability, leaveOpen);

    internal override UnmanagedMemoryAccessor Accessor(IDisposable map, long offset, long size, int access) =>
        ((SystemMaps.MemoryMappedFile)map).CreateViewAccessor(offset, size,
                                                              (SystemMaps.MemoryMappedFileAccess)access);

    internal override UnmanagedMemoryStream Stream(IDisposable map, long offset, long size, int access) =>
        ((SystemMaps.MemoryMappedFile)map).CreateViewStream(offset, size, (SystemMaps.MemoryMappedFileAccess)access);

    internal override bool IsClosed(IDisposable map) =>
        ((SystemMaps.MemoryMappedFile)map).SafeMemoryMappedFileHandle.IsClosed;

    internal override void Flush(UnmanagedMemoryAccessor view) =>
        ((SystemMaps.MemoryMappedViewAccessor)view).Flush();

    internal override (long, SafeBuffer) About(IDisposable view) => view switch
    {
        SystemMaps.MemoryMappedViewAccessor accessor => (accessor.PointerOffset, accessor.SafeMemoryMappedViewHandle),
        SystemMaps.MemoryMappedViewStream stream => (stream.PointerOffset, stream.SafeMemoryMappedViewHandle),
        _ => throw new InvalidOperationException(),
    };
}

// Also run with Backend.PreferSystem: ours over .NET's, as on Windows.
internal sealed class Ours(bool overSystem = false) : Side
{
    private T In<T>(Func<T> create)
    {
        Backend.PreferSystem = overSystem;
        try
        {
            return create();
        }
        finally
        {
            Backend.PreferSystem = false;
        }
    }

    internal override IDisposable CreateNew(string? name, long capacity, int access, int options, int inheritability) =>
        In(() => MemoryMappedFile.CreateNew(name, capacity, (MemoryMappedFileAccess)access,
                                            (MemoryMappedFileOptions)options, (HandleInheritability)inheritability));

    internal override IDisposable CreateNew(long capacity) => In(() => MemoryMappedFile.CreateNew(null, capacity));

    internal override IDisposable FromPath(string path, FileMode mode, string? name, long capacity, int access) =>
        In(() => MemoryMappedFile.CreateFromFile(path, mode, name, capacity, (MemoryMappedFileAccess)access));

    internal override IDisposable FromStream(FileStream file, string? name, long capacity, int access,
                                             int inheritability, bool leaveOpen) =>
        In(() => MemoryMappedFile.CreateFromFile(file, name, capacity, (MemoryMappedFileAccess)access,
                                                 (HandleInheritability)inheritability, leaveOpen));

    internal override IDisposable FromHandle(SafeFileHandle file, string? name, long capacity, int access,
                                             int inheritability, bool leaveOpen) =>
        In(() => MemoryMappedFile.CreateFromFile(file, name, capacity, (MemoryMappedFileAccess)access,
                                                 (HandleInheritability)inheritability, leaveOpen));

    internal override UnmanagedMemoryAccessor Accessor(IDisposable map, long offset, long size, int access) =>
        ((MemoryMappedFile)map).CreateViewAccessor(offset, size, (MemoryMappedFileAccess)access);

    internal override UnmanagedMemoryStream Stream(IDisposable map, long offset, long size, int access) =>
        ((MemoryMappedFile)map).CreateViewStream(offset, size, (MemoryMappedFileAccess)access);

    internal override bool IsClosed(IDisposable map) => ((MemoryMappedFile)map).SafeMemoryMappedFileHandle.IsClosed;

    internal override void Flush(UnmanagedMemoryAccessor view) => ((MemoryMappedViewAccessor)view).Flush();

    internal override (long, SafeBuffer) About(IDisposable view) => view switch
    {
        MemoryMappedViewAccessor accessor => (accessor.PointerOffset, accessor.SafeMemoryMappedViewHandle),
        MemoryMappedViewStream stream => (stream.PointerOffset, stream.SafeMemoryMappedViewHandle),
        _ => throw new InvalidOperationException(),
    };
}
