// MemoryMappedFile.CreateFromFile: contract 2.2, 2.3, 2.9, 3.5.6.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using Microsoft.Win32.SafeHandles;
using Xunit;

namespace Mmf.Tests;

public class FileTests
{
    private const MemoryMappedFileAccess RW = MemoryMappedFileAccess.ReadWrite;
    private const HandleInheritability NotInherited = HandleInheritability.None;

    private static string NewFile(int length)
    {
        string path = Namespace.NewPath();
        File.WriteAllBytes(path, new byte[length]);
        return path;
    }

    // Every overload by path, as far as it takes what is asked for.
    private static IEnumerable<Func<string, MemoryMappedFile>> ByPath()
    {
        yield return path => MemoryMappedFile.CreateFromFile(path);
        yield return path => MemoryMappedFile.CreateFromFile(path, FileMode.Open);
        yield return path => MemoryMappedFile.CreateFromFile(path, FileMode.Open, null);
        yield return path => MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0);
        yield return path => MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, RW);
    }

    [Fact]
    public void Every_overload_maps_a_file()
    {
        string path = NewFile(4096);
        foreach (var create in ByPath())
        {
            using MemoryMappedFile map = create(path);
            Maps.Validate(map, 4096);
        }
        using (var stream = new FileStream(path, FileMode.Open))
        using (MemoryMappedFile map = MemoryMappedFile.CreateFromFile(stream, null, 0, RW, NotInherited, true))
            Maps.Validate(map, 4096);
        using (SafeFileHandle handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite))
        using (MemoryMappedFile map = MemoryMappedFile.CreateFromFile(handle, null, 0, RW, NotInherited, true))
            Maps.Validate(map, 4096);
    }

    [Fact]
    public void Arguments_by_path()
    {
        string path = NewFile(4096);
        foreach (var create in ByPath())
        {
            Check.Throws<ArgumentNullException>("path", () => create(null!));
            Check.Throws<ArgumentException>("path", () => create(""));
            Check.Throws<ArgumentException>("path", () => create("a\0b"));
            Assert.Equal(path + "-", Check.Throws<FileNotFoundException>(() => create(path + "-")).FileName);
            Check.Throws<DirectoryNotFoundException>(() => create(path + "/x"));
            Check.Throws<UnauthorizedAccessException>(() => create(Namespace.Directory));
        }
        Check.Throws<ArgumentException>(null, () => MemoryMappedFile.CreateFromFile(path, FileMode.Open, ""));
        Check.Throws<ArgumentOutOfRangeException>(
            "capacity", () => MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, -1));
        Check.Throws<ArgumentOutOfRangeException>(
            "capacity", () => MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 4095));
        Check.Throws<ArgumentOutOfRangeException>(
            "access",
            () => MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, (MemoryMappedFileAccess)6));
        Check.Throws<ArgumentException>(
            "access",
            () => MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Write));
        Check.Throws<ArgumentException>("mode", () => MemoryMappedFile.CreateFromFile(path, FileMode.Append));
        Check.Throws<ArgumentException>("mode", () => MemoryMappedFile.CreateFromFile(path, FileMode.Truncate));
        Check.Throws<ArgumentOutOfRangeException>(
            "mode", () => MemoryMappedFile.CreateFromFile(path, (FileMode)7));
        Check.ThrowsIO(80, () => MemoryMappedFile.CreateFromFile(path, FileMode.CreateNew, null, 4096));
    }

    [Fact]
    public void Arguments_by_stream_and_by_handle()
    {
        using var stream = new FileStream(NewFile(4096), FileMode.Open);
        using var empty = new FileStream(NewFile(0), FileMode.Open);
        SafeFileHandle handle = stream.SafeFileHandle;
        var none = (MemoryMappedFileAccess)6;
        const MemoryMappedFileAccess writes = MemoryMappedFileAccess.Write;

        Check.Throws<ArgumentNullException>(
            "fileStream",
            () => MemoryMappedFile.CreateFromFile((FileStream)null!, null, 0, RW, NotInherited, true));
        Check.Throws<ArgumentNullException>(
            "fileHandle",
            () => MemoryMappedFile.CreateFromFile((SafeFileHandle)null!, null, 0, RW, NotInherited, true));
        foreach (bool byHandle in new[] { false, true })
        {
            MemoryMappedFile Create(FileStream file, string? name, long capacity, MemoryMappedFileAccess access,
                                    HandleInheritability inherit = NotInherited) =>
                byHandle
                    ? MemoryMappedFile.CreateFromFile(file.SafeFileHandle, name, capacity, access, inherit, true)
                    : MemoryMappedFile.CreateFromFile(file, name, capacity, access, inherit, true);

            Check.Throws<ArgumentException>(null, () => Create(stream, "", 0, RW));
            Check.Throws<ArgumentOutOfRangeException>("capacity", () => Create(stream, null, -1, RW));
            Check.Throws<ArgumentOutOfRangeException>("access", () => Create(stream, null, 0, none));
            Check.Throws<ArgumentException>("access", () => Create(stream, null, 0, writes));
            Check.Throws<ArgumentException>(null, () => Create(empty, null, 0, RW));
            Check.Throws<ArgumentOutOfRangeException>(
                "inheritability", () => Create(stream, null, 0, RW, (HandleInheritability)2));
            Check.Throws<ArgumentOutOfRangeException>("capacity", () => Create(stream, null, 1, RW));
            Check.Throws<ArgumentException>(
                null, () => Create(stream, null, 5000, MemoryMappedFileAccess.Read));
        }
        Assert.False(handle.IsClosed);
    }

    [Fact]
    public void A_closed_file_is_disposed()
    {
        var stream = new FileStream(NewFile(10), FileMode.Open);
        SafeFileHandle handle = File.OpenHandle(NewFile(10));
        stream.Dispose();
        handle.Dispose();
        Check.Throws<ObjectDisposedException>(
            () => MemoryMappedFile.CreateFromFile(stream, null, 0, RW, NotInherited, true));
        Check.Throws<ObjectDisposedException>(
            () => MemoryMappedFile.CreateFromFile(stream, null, 10, RW, (HandleInheritability)2, true));
        Check.Throws<ObjectDisposedException>(
            () => MemoryMappedFile.CreateFromFile(handle, null, 0, RW, NotInherited, true));
    }

    [Fact]
    public void Leave_open()
    {
        foreach (bool leaveOpen in new[] { false, true })
        {
            var stream = new FileStream(NewFile(4096), FileMode.Open);
            SafeFileHandle handle = File.OpenHandle(NewFile(4096), FileMode.Open, FileAccess.ReadWrite);
            MemoryMappedFile first = MemoryMappedFile.CreateFromFile(stream, null, 0, RW, NotInherited, leaveOpen);
            MemoryMappedFile second = MemoryMappedFile.CreateFromFile(handle, null, 0, RW, NotInherited, leaveOpen);
            using MemoryMappedViewAccessor view = first.CreateViewAccessor();
            first.Dispose();
            second.Dispose();
            Assert.Equal(leaveOpen, stream.CanRead);
            Assert.Equal(!leaveOpen, handle.IsClosed);
            Maps.Validate(view, 4096, RW);
            stream.Dispose();
            handle.Dispose();
        }
    }

    [Fact]
    public void A_failed_call_leaves_the_file_open()
    {
        using var stream = new FileStream(NewFile(4096), FileMode.Open);
        Check.Throws<ArgumentOutOfRangeException>(
            "capacity", () => MemoryMappedFile.CreateFromFile(stream, null, 1, RW, NotInherited, false));
        Assert.True(stream.CanRead);
        Assert.Equal(0, stream.ReadByte());
    }

    [Fact]
    public void The_map_outlives_a_file_that_was_closed_meanwhile()
    {
        var stream = new FileStream(NewFile(4096), FileMode.Open);
        using MemoryMappedFile map = MemoryMappedFile.CreateFromFile(stream, null, 0, RW, NotInherited, true);
        stream.Dispose();
        Maps.Validate(map, 4096);
    }

    [Fact]
    public void The_streams_buffer_is_written_first()
    {
        using var stream = new FileStream(NewFile(10), FileMode.Open);
        stream.WriteByte(42);
        using MemoryMappedFile map = MemoryMappedFile.CreateFromFile(stream, null, 0, RW, NotInherited, true);
        using MemoryMappedViewAccessor view = map.CreateViewAccessor();
        Assert.Equal(42, view.ReadByte(0));
        Assert.Equal(10, view.Capacity);
    }

    [Fact]
    public void Grows_and_writes_the_file()
    {
        string path = NewFile(5);
        using (MemoryMappedFile map = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 5000))
        using (MemoryMappedViewAccessor view = map.CreateViewAccessor())
        {
            view.Write(4996, 0x04030201);
            view.Flush();
        }
        byte[] bytes = File.ReadAllBytes(path);
        Assert.Equal(5000, bytes.Length);
        Assert.Equal([1, 2, 3, 4], bytes[^4..]);
    }

    [Fact]
    public void What_a_failing_call_made_is_removed()
    {
        string path = Namespace.NewPath();
        Check.Throws<ArgumentException>(null, () => MemoryMappedFile.CreateFromFile(path, FileMode.CreateNew));
        Assert.False(File.Exists(path));
    }

    [Fact]
    public void A_file_has_one_writer_or_many_readers()
    {
        string path = NewFile(4096);
        using (MemoryMappedFile writer = MemoryMappedFile.CreateFromFile(path))
            Check.ThrowsIO(32, () => MemoryMappedFile.CreateFromFile(path));
        using MemoryMappedFile reader =
            MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        using MemoryMappedFile second =
            MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        Maps.Validate(second, 4096, MemoryMappedFileAccess.Read);
    }

    [Fact]
    public void A_file_with_a_map_cannot_be_opened_exclusively()
    {
        string path = NewFile(4096);
        using (MemoryMappedFile map = MemoryMappedFile.CreateFromFile(path))
        {
            Check.Throws<IOException>(() => File.Open(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None));
            File.Open(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite).Dispose();
        }
        using (File.Open(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
            Check.ThrowsIO(32, () => MemoryMappedFile.CreateFromFile(path));
    }

    [Fact]
    public void A_refused_stream_keeps_its_buffer()
    {
        string path = NewFile(10);
        using var stream = new FileStream(path, FileMode.Open);
        stream.WriteByte(42);
        Check.Throws<ArgumentOutOfRangeException>(
            "inheritability",
            () => MemoryMappedFile.CreateFromFile(stream, null, 0, RW, (HandleInheritability)2, true));
        Assert.Equal(0, File.ReadAllBytes(path)[0]);
    }

    [Theory]
    [InlineData(FileAccess.ReadWrite, MemoryMappedFileAccess.Read, true)]
    [InlineData(FileAccess.ReadWrite, MemoryMappedFileAccess.ReadWrite, true)]
    [InlineData(FileAccess.ReadWrite, MemoryMappedFileAccess.CopyOnWrite, true)]
    [InlineData(FileAccess.Read, MemoryMappedFileAccess.Read, true)]
    [InlineData(FileAccess.Read, MemoryMappedFileAccess.CopyOnWrite, true)]
    [InlineData(FileAccess.Read, MemoryMappedFileAccess.ReadWrite, false)]
    [InlineData(FileAccess.Read, MemoryMappedFileAccess.ReadExecute, false)]
    [InlineData(FileAccess.Read, MemoryMappedFileAccess.ReadWriteExecute, false)]
    [InlineData(FileAccess.Write, MemoryMappedFileAccess.Read, false)]
    [InlineData(FileAccess.Write, MemoryMappedFileAccess.ReadWrite, false)]
    [InlineData(FileAccess.Write, MemoryMappedFileAccess.CopyOnWrite, false)]
    public void File_access_and_map_access(FileAccess fileAccess, MemoryMappedFileAccess access, bool allowed)
    {
        using SafeFileHandle handle = File.OpenHandle(NewFile(4096), FileMode.Open, fileAccess);
        MemoryMappedFile Create() =>
            MemoryMappedFile.CreateFromFile(handle, null, 0, access, NotInherited, true);
        if (!allowed)
        {
            Check.Throws<UnauthorizedAccessException>(() => Create());
            return;
        }
        using MemoryMappedFile map = Create();
        Maps.Validate(map, 4096, access);
    }

    [Fact]
    public void A_pipe_is_not_supported()
    {
        using var server = new System.IO.Pipes.AnonymousPipeServerStream();
        using var handle = new SafeFileHandle(server.SafePipeHandle.DangerousGetHandle(), false);
        Check.Throws<NotSupportedException>(
            () => MemoryMappedFile.CreateFromFile(handle, null, 0, RW, NotInherited, true));
    }

    [Fact]
    public void A_named_file_is_found_by_its_name()
    {
        string path = NewFile(4096);
        string name = Namespace.NewName();
        using MemoryMappedFile map = MemoryMappedFile.CreateFromFile(path, FileMode.Open, name);
        using MemoryMappedFile second = MemoryMappedFile.OpenExisting(name);
        using MemoryMappedViewAccessor view = second.CreateViewAccessor();
        view.Write(0, 42);
        view.Flush();
        Assert.Equal(42, File.ReadAllBytes(path)[0]); // a reader is not kept out
        Check.ThrowsIO(183, () => MemoryMappedFile.CreateNew(name, 1));
    }

    [Fact]
    public void An_inheritable_map_is_inherited()
    {
        foreach (HandleInheritability inheritability in Enum.GetValues<HandleInheritability>())
        {
            using MemoryMappedFile map = MemoryMappedFile.CreateNew(
                Namespace.NewName(), 4096, RW, MemoryMappedFileOptions.None, inheritability);
            nint descriptor = map.SafeMemoryMappedFileHandle.DangerousGetHandle();
            var start = new ProcessStartInfo("sh", ["-c", $"[ -e /proc/self/fd/{descriptor} ]"]);
            using Process child = Process.Start(start)!;
            Assert.True(child.WaitForExit(Check.Deadline));
            Assert.Equal(inheritability == HandleInheritability.Inheritable ? 0 : 1, child.ExitCode);
        }
    }
}
