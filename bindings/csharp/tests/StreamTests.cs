// MemoryMappedViewStream: contract 5.
using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Xunit;

namespace Mmf.Tests;

public class StreamTests
{
    public static TheoryData<string> Samples => Maps.Samples;

    [Theory]
    [MemberData(nameof(Samples))]
    public void Reads_writes_and_seeks(string kind)
    {
        using MemoryMappedFile map = Maps.Sample(kind, 1000);
        using MemoryMappedViewStream stream = map.CreateViewStream(100, 300);
        var bytes = new byte[300];
        new Random(1).NextBytes(bytes);
        stream.Write(bytes, 0, 300);
        Assert.Equal(300, stream.Position);
        Assert.Equal(300, stream.Length);
        Assert.Equal(300, stream.Capacity);
        Assert.Equal(100, stream.PointerOffset);
        Assert.Equal(0, stream.Read(new byte[1], 0, 1));
        Assert.Equal(-1, stream.ReadByte());
        Check.Throws<NotSupportedException>(() => stream.WriteByte(1));
        Assert.Equal(298, stream.Seek(-2, SeekOrigin.End));
        Check.Throws<NotSupportedException>(() => stream.Write(bytes, 0, 3));
        Assert.Equal(298, stream.Position);
        var back = new byte[400];
        Assert.Equal(2, stream.Read(back.AsSpan()));
        Assert.Equal(0, stream.Seek(0, SeekOrigin.Begin));
        Assert.Equal(300, stream.Read(back, 50, 350));
        Assert.Equal(bytes, back[50..350]);
        Assert.Equal(1000, stream.Seek(1000, SeekOrigin.Begin));
        Assert.Equal(0, stream.Read(back, 0, 1));
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public void Refusals(string kind)
    {
        using MemoryMappedFile map = Maps.Sample(kind, 1000);
        using MemoryMappedViewStream stream = map.CreateViewStream();
        using MemoryMappedViewStream reader = map.CreateViewStream(0, 0, MemoryMappedFileAccess.Read);
        using MemoryMappedViewStream writer = map.CreateViewStream(0, 0, MemoryMappedFileAccess.Write);
        Check.Throws<ArgumentNullException>("buffer", () => stream.Read(null!, 0, 1));
        Check.Throws<ArgumentOutOfRangeException>("offset", () => stream.Read(new byte[1], -1, 1));
        Check.Throws<ArgumentOutOfRangeException>("count", () => stream.Read(new byte[1], 0, 2));
        Check.Throws<IOException>(() => stream.Seek(-1, SeekOrigin.Begin));
        Check.Throws<ArgumentException>(null, () => stream.Seek(0, (SeekOrigin)3));
        Check.Throws<ArgumentOutOfRangeException>("value", () => stream.Position = -1);
        Check.Throws<ArgumentOutOfRangeException>("value", () => stream.SetLength(-1));
        Check.Throws<NotSupportedException>(() => stream.SetLength(1000));
        Check.Throws<NotSupportedException>(() => reader.WriteByte(1));
        Check.Throws<NotSupportedException>(() => writer.ReadByte());
        Check.Throws<InvalidOperationException>(() => _ = stream.ReadTimeout);
        Assert.False(stream.CanTimeout);
        unsafe
        {
            Check.Throws<NotSupportedException>(() => { _ = stream.PositionPointer; });
        }
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public async Task Copies_and_completes_at_once(string kind)
    {
        using MemoryMappedFile map = Maps.Sample(kind, 1000);
        using MemoryMappedViewStream stream = map.CreateViewStream();
        for (int i = 0; i < 1000; i++)
            stream.WriteByte((byte)i);
        stream.Position = 100;
        using var copy = new MemoryStream();
        stream.CopyTo(copy, 7);
        Assert.Equal(900, copy.Length);
        Assert.Equal(1000, stream.Position);
        Assert.Equal(100, copy.ToArray()[0]);
        Check.Throws<ArgumentNullException>("destination", () => stream.CopyTo(null!));
        Check.Throws<ArgumentOutOfRangeException>("bufferSize", () => stream.CopyTo(copy, 0));
        stream.Position = 0;
        Assert.True(stream.ReadAsync(new byte[10], 0, 10).IsCompletedSuccessfully);
        Assert.True(stream.WriteAsync(new byte[10], 0, 10).IsCompletedSuccessfully);
        Assert.True(stream.FlushAsync().IsCompletedSuccessfully);
        var cancelled = new CancellationToken(true);
        Assert.True(stream.FlushAsync(cancelled).IsCanceled);
        Assert.True(stream.ReadAsync(new byte[1], 0, 1, cancelled).IsCanceled);
        await stream.DisposeAsync();
        Assert.False(stream.CanRead);
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public void Dispose_twice_and_use_after(string kind)
    {
        using MemoryMappedFile map = Maps.Sample(kind, 1000);
        MemoryMappedViewStream stream = map.CreateViewStream();
        stream.Dispose();
        stream.Close();
        Assert.True(stream.SafeMemoryMappedViewHandle.IsClosed);
        Assert.False(stream.CanRead || stream.CanWrite || stream.CanSeek);
        Check.Throws<ObjectDisposedException>(() => stream.ReadByte());
        Check.Throws<ObjectDisposedException>(() => stream.WriteByte(1));
        Check.Throws<ObjectDisposedException>(() => stream.Seek(0, SeekOrigin.Begin));
        Check.Throws<ObjectDisposedException>(() => stream.Flush());
        Check.Throws<ObjectDisposedException>(() => _ = stream.Position);
        Check.Throws<ObjectDisposedException>(() => _ = stream.Length);
    }

    [Fact]
    public void A_writer_flushes_the_file_when_it_is_disposed()
    {
        string path = Namespace.NewPath();
        using (MemoryMappedFile map = MemoryMappedFile.CreateFromFile(path, FileMode.CreateNew, null, 10))
        using (MemoryMappedViewStream stream = map.CreateViewStream())
            stream.Write([1, 2, 3]);
        Assert.Equal([1, 2, 3, 0, 0, 0, 0, 0, 0, 0], File.ReadAllBytes(path));
    }

    [Fact]
    public void Readers_and_writers_of_dotnet_work_on_it()
    {
        using MemoryMappedFile map = MemoryMappedFile.CreateNew(Namespace.NewName(), 4096);
        using (var writer = new BinaryWriter(map.CreateViewStream()))
        {
            writer.Write("HI Night Mo.");
            writer.Write(42);
        }
        using var reader = new BinaryReader(map.CreateViewStream(0, 0, MemoryMappedFileAccess.Read));
        Assert.Equal("HI Night Mo.", reader.ReadString());
        Assert.Equal(42, reader.ReadInt32());
    }
}
