// MemoryMappedViewAccessor: contract 2.6, 2.7, 3.1 to 3.5, 4; VA is .NET's own tests.
using System;
using System.Collections.Generic;
using System.IO;
using System.Runtime.CompilerServices;
using System.Threading;
using Xunit;

namespace Mmf.Tests;

public class AccessorTests
{
    private const MemoryMappedFileAccess RW = MemoryMappedFileAccess.ReadWrite;

    public static TheoryData<string> Samples => Maps.Samples;

    private static IEnumerable<Func<MemoryMappedFile, long, long, IDisposable>> Views()
    {
        yield return (map, offset, size) => map.CreateViewAccessor(offset, size);
        yield return (map, offset, size) => map.CreateViewAccessor(offset, size, RW);
        yield return (map, offset, size) => map.CreateViewStream(offset, size);
        yield return (map, offset, size) => map.CreateViewStream(offset, size, RW);
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public void VA_01_to_06_arguments(string kind)
    {
        using MemoryMappedFile map = Maps.Sample(kind, 4096);
        foreach (var view in Views())
        {
            Check.Throws<ArgumentOutOfRangeException>("offset", () => view(map, -1, 0));
            Check.Throws<ArgumentOutOfRangeException>("size", () => view(map, 0, -1));
            Check.Throws<IOException>(() => view(map, 0, long.MaxValue));
            Check.Throws<UnauthorizedAccessException>(() => view(map, 0, 4097));
            Check.Throws<UnauthorizedAccessException>(() => view(map, 4096, 1));
            Check.Throws<ArgumentOutOfRangeException>("offset", () => view(map, 4097, 0));
        }
        foreach (int access in new[] { -1, 42 })
        {
            Check.Throws<ArgumentOutOfRangeException>(
                "access", () => map.CreateViewAccessor(0, 0, (MemoryMappedFileAccess)access));
            Check.Throws<ArgumentOutOfRangeException>(
                "access", () => map.CreateViewStream(0, 0, (MemoryMappedFileAccess)access));
        }
    }

    private static (bool Read, bool Write, bool Execute) Needs(MemoryMappedFileAccess access) => access switch
    {
        MemoryMappedFileAccess.ReadWrite => (true, true, false),
        MemoryMappedFileAccess.Write => (false, true, false),
        MemoryMappedFileAccess.ReadExecute => (true, false, true),
        MemoryMappedFileAccess.ReadWriteExecute => (true, true, true),
        _ => (true, false, false),
    };

    [Fact]
    public void VA_07_to_09_each_map_and_each_view()
    {
        int slots = 0;
        foreach (MemoryMappedFileAccess mapAccess in Enum.GetValues<MemoryMappedFileAccess>())
        foreach (MemoryMappedFileAccess viewAccess in Enum.GetValues<MemoryMappedFileAccess>())
        {
            if (mapAccess == MemoryMappedFileAccess.Write)
                continue;
            using MemoryMappedFile map = MemoryMappedFile.CreateNew(null, 4096, mapAccess);
            var (read, write, execute) = Needs(viewAccess);
            var given = Needs(mapAccess);
            slots++;
            if ((read && !given.Read) || (write && !given.Write) || (execute && !given.Execute))
            {
                Check.Throws<UnauthorizedAccessException>(() => map.CreateViewAccessor(0, 0, viewAccess));
                continue;
            }
            using MemoryMappedViewAccessor view = map.CreateViewAccessor(0, 4096, viewAccess);
            Maps.Validate(view, 4096, viewAccess);
        }
        Assert.Equal(30, slots);
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public void VA_10_pointer_offset_of_whole_views(string kind)
    {
        foreach (long size in new long[] { 1, 4095, 4096, 4099, 12290, 70000 })
        {
            using MemoryMappedFile map = Maps.Sample(kind, size);
            using MemoryMappedViewAccessor all = map.CreateViewAccessor();
            using MemoryMappedViewAccessor same = map.CreateViewAccessor(0, size);
            Assert.Equal(0, all.PointerOffset);
            Assert.Equal(0, same.PointerOffset);
            Assert.Equal(size, all.Capacity);
            Assert.Equal((ulong)size, same.SafeMemoryMappedViewHandle.ByteLength);
        }
    }

    [Theory]
    [InlineData(8192, 0, 8192)]
    [InlineData(8192, 8100, 92)]
    [InlineData(8192, 0, 20)]
    [InlineData(8192, 1, 8191)]
    [InlineData(8192, 17, 8175)]
    [InlineData(8192, 17, 20)]
    [InlineData(70000, 69900, 16)]
    public unsafe void VA_11_to_17_every_type_everywhere(long mapSize, long offset, long size)
    {
        foreach (string kind in new[] { "unnamed", "file", "named", "named file" })
        {
            using MemoryMappedFile map = Maps.Sample(kind, mapSize);
            using MemoryMappedViewAccessor view = map.CreateViewAccessor(offset, size);
            Assert.Equal(size, view.Capacity);
            Assert.Equal(offset % Environment.SystemPageSize, view.PointerOffset);
            EveryType(view);

            byte* start = null;
            view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
            try
            {
                for (long i = 0; i < size; i++)
                {
                    start[view.PointerOffset + i] = (byte)(i * 7);
                    Assert.Equal((byte)(i * 7), view.ReadByte(i));
                    view.Write(i, (byte)(i * 3));
                    Assert.Equal((byte)(i * 3), start[view.PointerOffset + i]);
                }
            }
            finally
            {
                view.SafeMemoryMappedViewHandle.ReleasePointer();
            }
        }
    }

    private static void EveryType(MemoryMappedViewAccessor view)
    {
        Type(view, true, 1, (v, p) => v.ReadBoolean(p), (v, p, x) => v.Write(p, x));
        Type(view, (byte)42, 1, (v, p) => v.ReadByte(p), (v, p, x) => v.Write(p, x));
        Type(view, (sbyte)-14, 1, (v, p) => v.ReadSByte(p), (v, p, x) => v.Write(p, x));
        Type(view, 'c', 2, (v, p) => v.ReadChar(p), (v, p, x) => v.Write(p, x));
        Type(view, (short)-11, 2, (v, p) => v.ReadInt16(p), (v, p, x) => v.Write(p, x));
        Type(view, (ushort)16, 2, (v, p) => v.ReadUInt16(p), (v, p, x) => v.Write(p, x));
        Type(view, -12, 4, (v, p) => v.ReadInt32(p), (v, p, x) => v.Write(p, x));
        Type(view, 17u, 4, (v, p) => v.ReadUInt32(p), (v, p, x) => v.Write(p, x));
        Type(view, -13L, 8, (v, p) => v.ReadInt64(p), (v, p, x) => v.Write(p, x));
        Type(view, 17ul, 8, (v, p) => v.ReadUInt64(p), (v, p, x) => v.Write(p, x));
        Type(view, 15.5f, 4, (v, p) => v.ReadSingle(p), (v, p, x) => v.Write(p, x));
        Type(view, -10.25, 8, (v, p) => v.ReadDouble(p), (v, p, x) => v.Write(p, x));
        Type(view, -9.01m, 16, (v, p) => v.ReadDecimal(p), (v, p, x) => v.Write(p, x));
    }

    private static void Type<T>(MemoryMappedViewAccessor view, T value, int size,
                                Func<MemoryMappedViewAccessor, long, T> read,
                                Action<MemoryMappedViewAccessor, long, T> write)
    {
        foreach (long position in new[] { 0, view.Capacity - size })
        {
            write(view, position, value);
            Assert.Equal(value, read(view, position));
            write(view, position, default!);
            Assert.Equal(default!, read(view, position));
        }
        Refuses<T>(view, -1, size, read, write);
        Refuses<T>(view, view.Capacity + 1 - size, size, read, write);
        Refuses<T>(view, view.Capacity + 20 - size, size, read, write);
    }

    private static void Refuses<T>(MemoryMappedViewAccessor view, long position, int size,
                                   Func<MemoryMappedViewAccessor, long, T> read,
                                   Action<MemoryMappedViewAccessor, long, T> write)
    {
        if (position >= 0 && position < view.Capacity)
        {
            Check.Throws<ArgumentException>("position", () => read(view, position));
            Check.Throws<ArgumentException>("position", () => write(view, position, default!));
        }
        else
        {
            Check.Throws<ArgumentOutOfRangeException>("position", () => read(view, position));
            Check.Throws<ArgumentOutOfRangeException>("position", () => write(view, position, default!));
        }
        Assert.True(size >= 1);
    }

    private struct Three
    {
        public byte A, B, C;
    }

    private struct WithReference
    {
        public object? Thing { get; set; }
    }

    [Fact]
    public void Structures_and_arrays_keep_dotnets_stride()
    {
        using MemoryMappedFile map = MemoryMappedFile.CreateNew(Namespace.NewName(), 16);
        using MemoryMappedViewAccessor view = map.CreateViewAccessor();
        var threes = new Three[4];
        for (int i = 0; i < threes.Length; i++)
            threes[i] = new Three { A = (byte)i, B = 1, C = 2 };
        view.WriteArray(0, threes, 0, 4);
        Assert.Equal(3, Unsafe.SizeOf<Three>());
        for (int i = 0; i < 4; i++)
            Assert.Equal([(byte)i, 1, 2, 0],
                         new[] { view.ReadByte(4 * i), view.ReadByte(4 * i + 1), view.ReadByte(4 * i + 2),
                                 view.ReadByte(4 * i + 3) });
        var back = new Three[5];
        Assert.Equal(3, view.ReadArray(4, back, 1, 4));
        Assert.Equal((byte)1, back[1].A);
        Three one = new() { A = 9 };
        view.Write(13, ref one);
        view.Read(13, out Three read);
        Assert.Equal(9, read.A);
        Check.Throws<ArgumentException>("position", () => view.Write(14, ref one));
        Check.Throws<ArgumentException>(null, () => view.WriteArray(4, threes, 0, 4));
        Check.Throws<ArgumentNullException>("array", () => view.WriteArray<int>(0, null!, 0, 1));
        Check.Throws<ArgumentOutOfRangeException>("position", () => view.ReadArray(16, back, 0, 0));
        Assert.Throws<ArgumentException>(() => view.Read(0, out WithReference _));
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public void VA_18_flush(string kind)
    {
        using MemoryMappedFile map = Maps.Sample(kind, 256);
        foreach (MemoryMappedFileAccess access in new[] { MemoryMappedFileAccess.Read, MemoryMappedFileAccess.Write,
                                                          RW, MemoryMappedFileAccess.CopyOnWrite })
        {
            using MemoryMappedViewAccessor view = map.CreateViewAccessor(17, 100, access);
            view.Flush();
        }
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public void VA_19_views_share(string kind)
    {
        using MemoryMappedFile map = Maps.Sample(kind, 256);
        using (MemoryMappedViewAccessor first = map.CreateViewAccessor())
        using (MemoryMappedViewAccessor second = map.CreateViewAccessor())
        {
            for (int i = 0; i < 256; i++)
                first.Write(i, (byte)i);
            for (int i = 0; i < 256; i++)
                Assert.Equal(i, second.ReadByte(i));
        }
        using MemoryMappedViewStream stream = map.CreateViewStream();
        for (int i = 0; i < 256; i++)
            Assert.Equal(i, stream.ReadByte());
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public void VA_20_copy_on_write(string kind)
    {
        using MemoryMappedFile map = Maps.Sample(kind, 256);
        using (MemoryMappedViewAccessor view = map.CreateViewAccessor())
            view.Write(0, 42);
        using MemoryMappedViewAccessor copy = map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.CopyOnWrite);
        Assert.Equal(42, copy.ReadInt32(0));
        copy.Write(0, 84);
        Assert.Equal(84, copy.ReadInt32(0));
        using MemoryMappedViewAccessor reader = map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        Assert.Equal(42, reader.ReadInt32(0));
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public void VA_21_dispose(string kind)
    {
        using MemoryMappedFile map = Maps.Sample(kind, 256);
        MemoryMappedViewAccessor view = map.CreateViewAccessor();
        SafeMemoryMappedViewHandle handle = view.SafeMemoryMappedViewHandle;
        Assert.False(handle.IsClosed);
        view.Dispose();
        view.Dispose();
        Assert.True(handle.IsClosed);
        Assert.False(view.CanRead);
        Assert.False(view.CanWrite);
        Assert.Equal(256, view.Capacity);
        Assert.Equal(0, view.PointerOffset);
        Check.Throws<ObjectDisposedException>(() => view.ReadByte(0));
        Check.Throws<ObjectDisposedException>(() => view.Write(0, 1));
        Check.Throws<ObjectDisposedException>(() => view.Flush());
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public void VA_23_a_view_outlives_its_map(string kind)
    {
        MemoryMappedFile map = Maps.Sample(kind, 8192);
        using MemoryMappedViewAccessor view = map.CreateViewAccessor();
        map.Dispose();
        Maps.Validate(view, 8192, RW);
    }

    [Fact]
    public void Views_do_not_keep_the_name()
    {
        string name = Namespace.NewName();
        MemoryMappedFile map = MemoryMappedFile.CreateNew(name, 4096);
        using MemoryMappedViewAccessor view = map.CreateViewAccessor();
        map.Dispose();
        Check.Throws<FileNotFoundException>(() => MemoryMappedFile.OpenExisting(name));
        using MemoryMappedFile another = MemoryMappedFile.CreateNew(name, 4096);
        view.Write(0, 42);
        using MemoryMappedViewAccessor other = another.CreateViewAccessor();
        Assert.Equal(0, other.ReadInt32(0));
    }

    [Fact]
    public void A_view_of_nothing()
    {
        using MemoryMappedFile map = MemoryMappedFile.CreateNew(null, 5000);
        using MemoryMappedViewAccessor view = map.CreateViewAccessor(5000, 0);
        Assert.Equal(0, view.Capacity);
        Assert.Equal(0, view.PointerOffset);
        Assert.Equal(0ul, view.SafeMemoryMappedViewHandle.ByteLength);
        Check.Throws<ArgumentOutOfRangeException>("position", () => view.ReadByte(0));
        view.Flush();
    }

    [Fact]
    public unsafe void A_held_pointer_delays_the_unmapping()
    {
        using MemoryMappedFile map = MemoryMappedFile.CreateNew(null, 4096);
        MemoryMappedViewAccessor view = map.CreateViewAccessor();
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        view.Dispose();
        start[17] = 42;
        Assert.Equal(42, start[17]);
        view.SafeMemoryMappedViewHandle.ReleasePointer();
        Check.Throws<ObjectDisposedException>(() => view.SafeMemoryMappedViewHandle.AcquirePointer(ref start));
        Check.Throws<InvalidOperationException>(
            () => new SafeMemoryMappedViewHandle().AcquirePointer(ref start));
    }

    // Each access takes a reference: it is done, or it is refused; it is never a fault.
    [Theory]
    [MemberData(nameof(Samples))]
    public void Dispose_may_race_with_everything(string kind)
    {
        using MemoryMappedFile map = Maps.Sample(kind, 65536);
        int refused = 0;
        for (int round = 0; round < 50; round++)
        {
            MemoryMappedViewAccessor view = map.CreateViewAccessor();
            MemoryMappedViewStream stream = map.CreateViewStream();
            using var start = new System.Threading.Barrier(4);
            void Until(Action action)
            {
                start.SignalAndWait();
                try
                {
                    for (;;)
                        action();
                }
                catch (ObjectDisposedException)
                {
                    Interlocked.Increment(ref refused);
                }
                catch (NotSupportedException)
                {
                    Interlocked.Increment(ref refused); // a closed accessor cannot read
                }
            }
            var buffer = new byte[4096];
            var threads = new[]
            {
                new Thread(() => Until(() => view.Write(60000, view.ReadInt64(8)))),
                new Thread(() => Until(() => view.ReadArray(1000, buffer, 0, 4096))),
                new Thread(() => Until(() =>
                {
                    stream.Position = 0;
                    stream.ReadByte();
                    stream.WriteByte(1);
                    stream.Flush();
                })),
            };
            foreach (Thread thread in threads)
                thread.Start();
            start.SignalAndWait();
            view.Dispose();
            stream.Dispose();
            foreach (Thread thread in threads)
                Assert.True(thread.Join(Check.Deadline));
        }
        Assert.Equal(150, refused);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference Drop(string name)
    {
        MemoryMappedFile map = MemoryMappedFile.CreateNew(name, 4096);
        MemoryMappedViewAccessor view = map.CreateViewAccessor();
        view.Write(0, 1);
        return new WeakReference(view);
    }

    [Fact]
    public void VA_24_what_is_dropped_is_collected_and_its_name_is_free()
    {
        string name = Namespace.NewName();
        WeakReference dropped = Drop(name);
        for (int i = 0; i < 100 && (dropped.IsAlive || IsThere(name)); i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        Assert.False(dropped.IsAlive);
        Assert.False(IsThere(name));
    }

    private static bool IsThere(string name)
    {
        try
        {
            MemoryMappedFile.OpenExisting(name).Dispose();
            return true;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
    }
}
