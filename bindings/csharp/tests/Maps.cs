// What .NET's own tests call VALIDATE, VIEWS, ACC and STR (contract 6.0), and maps to try things on.
using System;
using System.IO;
using Xunit;

namespace Mmf.Tests;

internal static class Maps
{
    internal static void Validate(MemoryMappedFile map, long capacity,
                                  MemoryMappedFileAccess access = MemoryMappedFileAccess.ReadWrite)
    {
        SafeMemoryMappedFileHandle handle = map.SafeMemoryMappedFileHandle;
        Assert.NotNull(handle);
        Assert.Same(handle, map.SafeMemoryMappedFileHandle);
        Assert.False(handle.IsClosed);
        Assert.False(handle.IsInvalid);
        switch (access)
        {
            case MemoryMappedFileAccess.ReadWrite:
            case MemoryMappedFileAccess.ReadWriteExecute:
                Views(map, capacity, MemoryMappedFileAccess.Read);
                Views(map, capacity, MemoryMappedFileAccess.Write);
                Views(map, capacity, MemoryMappedFileAccess.ReadWrite);
                break;
            case MemoryMappedFileAccess.Write:
                Views(map, capacity, MemoryMappedFileAccess.Write);
                break;
            default:
                Views(map, capacity, MemoryMappedFileAccess.Read);
                break;
        }
    }

    private static void Views(MemoryMappedFile map, long capacity, MemoryMappedFileAccess access)
    {
        using (MemoryMappedViewAccessor accessor = map.CreateViewAccessor(0, capacity, access))
            Validate(accessor, capacity, access);
        using (MemoryMappedViewStream stream = map.CreateViewStream(0, capacity, access))
            Validate(stream, capacity, access);
    }

    private static bool Reads(MemoryMappedFileAccess access) => access != MemoryMappedFileAccess.Write;

    private static bool Writes(MemoryMappedFileAccess access) =>
        access != MemoryMappedFileAccess.Read && access != MemoryMappedFileAccess.ReadExecute;

    internal static void Validate(MemoryMappedViewAccessor accessor, long capacity, MemoryMappedFileAccess access)
    {
        Assert.Same(accessor.SafeMemoryMappedViewHandle, accessor.SafeMemoryMappedViewHandle);
        Assert.False(accessor.SafeMemoryMappedViewHandle.IsClosed);
        Assert.Equal(capacity, accessor.Capacity);
        Assert.Equal(0, accessor.PointerOffset);
        Assert.Equal(Reads(access), accessor.CanRead);
        Assert.Equal(Writes(access), accessor.CanWrite);
        if (Reads(access))
        {
            Assert.Equal(0, accessor.ReadByte(0));
            Assert.Equal(0, accessor.ReadByte(capacity - 1));
        }
        else
        {
            Check.Throws<NotSupportedException>(() => accessor.ReadByte(0));
        }
        if (!Writes(access))
        {
            Check.Throws<NotSupportedException>(() => accessor.Write(0, (byte)42));
            return;
        }
        foreach (long position in new[] { 0, capacity - 1 })
        {
            accessor.Write(position, (byte)42);
            if (Reads(access))
                Assert.Equal(42, accessor.ReadByte(position));
            accessor.Write(position, (byte)0);
        }
    }

    internal static void Validate(MemoryMappedViewStream stream, long capacity, MemoryMappedFileAccess access)
    {
        Assert.Same(stream.SafeMemoryMappedViewHandle, stream.SafeMemoryMappedViewHandle);
        Assert.Equal(capacity, stream.Length);
        Assert.Equal(0, stream.PointerOffset);
        Assert.True(stream.CanSeek);
        Assert.Equal(Reads(access), stream.CanRead);
        Assert.Equal(Writes(access), stream.CanWrite);
        if (Reads(access))
        {
            Assert.Equal(0, stream.Position);
            Assert.Equal(0, stream.ReadByte());
            Assert.Equal(1, stream.Position);
            Assert.Equal(capacity - 1, stream.Seek(capacity - 1, SeekOrigin.Begin));
            Assert.Equal(0, stream.ReadByte());
            Assert.Equal(capacity, stream.Position);
        }
        if (!Writes(access))
            return;
        foreach (long position in new[] { 0, capacity - 1 })
        {
            stream.Position = position;
            stream.WriteByte(42);
            if (Reads(access))
            {
                stream.Position = position;
                Assert.Equal(42, stream.ReadByte());
            }
            stream.Position = position;
            stream.WriteByte(0);
        }
    }

    /// <summary>The four kinds of map that .NET's tests try everything on.</summary>
    internal static TheoryData<string> Samples => new("unnamed", "file", "named", "named file");

    internal static MemoryMappedFile Sample(string kind, long capacity) => kind switch
    {
        "unnamed" => MemoryMappedFile.CreateNew(null, capacity),
        "named" => MemoryMappedFile.CreateNew(Namespace.NewName(), capacity),
        "file" => MemoryMappedFile.CreateFromFile(Namespace.NewPath(), FileMode.CreateNew, null, capacity),
        _ => MemoryMappedFile.CreateFromFile(Namespace.NewPath(), FileMode.CreateNew, Namespace.NewName(), capacity),
    };
}
