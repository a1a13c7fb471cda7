// MemoryMappedFile.CreateNew, CreateOrOpen, OpenExisting: contract 2.1, 2.4, 2.5, 2.8, 3.5, 3.6;
// CN and CO are .NET's own tests, with names.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Xunit;

namespace Mmf.Tests;

public class CreateTests
{
    private const MemoryMappedFileAccess RW = MemoryMappedFileAccess.ReadWrite;
    private const MemoryMappedFileOptions NoOptions = MemoryMappedFileOptions.None;
    private const HandleInheritability NotInherited = HandleInheritability.None;

    // Every overload.
    private static IEnumerable<Func<string?, long, MemoryMappedFile>> NewWithoutAccess()
    {
        yield return (name, capacity) => MemoryMappedFile.CreateNew(name, capacity);
        yield return (name, capacity) => MemoryMappedFile.CreateNew(name, capacity, RW);
        yield return (name, capacity) => MemoryMappedFile.CreateNew(name, capacity, RW, NoOptions, NotInherited);
    }

    private static IEnumerable<Func<string, long, MemoryMappedFile>> OpenWithoutAccess()
    {
        yield return (name, capacity) => MemoryMappedFile.CreateOrOpen(name, capacity);
        yield return (name, capacity) => MemoryMappedFile.CreateOrOpen(name, capacity, RW);
        yield return (name, capacity) => MemoryMappedFile.CreateOrOpen(name, capacity, RW, NoOptions, NotInherited);
    }

    [Fact]
    public void CN_01_empty_name()
    {
        foreach (var create in NewWithoutAccess())
            Check.Throws<ArgumentException>(null, () => create("", 4096));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-100)]
    public void CN_02_capacity(long capacity)
    {
        foreach (var create in NewWithoutAccess())
            Check.Throws<ArgumentOutOfRangeException>("capacity", () => create(null, capacity));
    }

    [Theory]
    [InlineData(42)]
    [InlineData(-2)]
    public void CN_04_access(int access)
    {
        var none = (MemoryMappedFileAccess)access;
        Check.Throws<ArgumentOutOfRangeException>("access", () => MemoryMappedFile.CreateNew(null, 4096, none));
        Check.Throws<ArgumentOutOfRangeException>(
            "access", () => MemoryMappedFile.CreateNew(null, 4096, none, NoOptions, NotInherited));
        Check.Throws<ArgumentOutOfRangeException>(
            "access", () => MemoryMappedFile.CreateOrOpen("Cat", 4096, none));
        Check.Throws<ArgumentOutOfRangeException>(
            "access", () => MemoryMappedFile.CreateOrOpen("Cat", 4096, none, NoOptions, NotInherited));
    }

    [Fact]
    public void CN_06_write_access_makes_no_map() =>
        Check.Throws<ArgumentException>(
            "access", () => MemoryMappedFile.CreateNew(null, 4096, MemoryMappedFileAccess.Write));

    [Theory]
    [InlineData(42)]
    [InlineData(-2)]
    public void CN_07_options_and_inheritability(int number)
    {
        var options = (MemoryMappedFileOptions)number;
        var inheritability = (HandleInheritability)number;
        Check.Throws<ArgumentOutOfRangeException>(
            "options", () => MemoryMappedFile.CreateNew(null, 4096, RW, options, NotInherited));
        Check.Throws<ArgumentOutOfRangeException>(
            "options", () => MemoryMappedFile.CreateOrOpen("Cat", 4096, RW, options, NotInherited));
        Check.Throws<ArgumentOutOfRangeException>(
            "inheritability", () => MemoryMappedFile.CreateNew(null, 4096, RW, NoOptions, inheritability));
        Check.Throws<ArgumentOutOfRangeException>(
            "inheritability", () => MemoryMappedFile.CreateOrOpen("Cat", 4096, RW, NoOptions, inheritability));
        Check.Throws<ArgumentOutOfRangeException>(
            "inheritability",
            () => MemoryMappedFile.OpenExisting("Cat", MemoryMappedFileRights.Read, inheritability));
    }

    [Fact]
    public void CN_11_too_large()
    {
        foreach (string? name in new[] { null, Namespace.NewName() })
        {
            foreach (var create in NewWithoutAccess())
                Check.Throws<IOException>(() => create(name, long.MaxValue));
        }
        foreach (var open in OpenWithoutAccess())
            Check.Throws<IOException>(() => open(Namespace.NewName(), long.MaxValue));
    }

    private static readonly string[] KindsOfNames =
    [
        Guid.NewGuid().ToString("N"), " \t\r\n \t " + new string(' ', 10), "local/" + Guid.NewGuid().ToString("N"),
        "global/" + Guid.NewGuid().ToString("N"), Guid.NewGuid().ToString("N") + new string('a', 1000),
        "Käse 猫 \U0001F408 " + Guid.NewGuid().ToString("N"), @"Local\" + Guid.NewGuid().ToString("N"),
        @"Global\" + Guid.NewGuid().ToString("N"), "../" + Guid.NewGuid().ToString("N"), ".", "..",
    ];

    public static TheoryData<int> IndexesOfNames => new(Enumerable.Range(0, KindsOfNames.Length));

    [Theory]
    [MemberData(nameof(IndexesOfNames))]
    public void CN_13_to_18_each_kind_of_name(int kind)
    {
        string name = KindsOfNames[kind];

        using (MemoryMappedFile map = MemoryMappedFile.CreateNew(name, 4096))
        {
            Maps.Validate(map, 4096);
            Check.ThrowsIO(183, () => MemoryMappedFile.CreateNew(name, 4096));
            using MemoryMappedFile again = MemoryMappedFile.OpenExisting(name);
            Maps.Validate(again, 4096);
        }
        Check.Throws<FileNotFoundException>(() => MemoryMappedFile.OpenExisting(name));
        using (MemoryMappedFile map = MemoryMappedFile.CreateNew(name, 4096, MemoryMappedFileAccess.Read))
            Maps.Validate(map, 4096, MemoryMappedFileAccess.Read);
        using (MemoryMappedFile map = MemoryMappedFile.CreateNew(
                   name, 4096, MemoryMappedFileAccess.ReadWriteExecute, MemoryMappedFileOptions.DelayAllocatePages,
                   HandleInheritability.Inheritable))
            Maps.Validate(map, 4096);
    }

    [Fact]
    public void CN_19_matrix()
    {
        string unique = Namespace.NewName();
        foreach (string? name in new[] { null, unique })
        foreach (long capacity in new long[] { 1, 256, Environment.SystemPageSize, 10000 })
        foreach (MemoryMappedFileAccess access in Enum.GetValues<MemoryMappedFileAccess>())
        foreach (MemoryMappedFileOptions options in Enum.GetValues<MemoryMappedFileOptions>())
        foreach (HandleInheritability inheritability in Enum.GetValues<HandleInheritability>())
        {
            if (access == MemoryMappedFileAccess.Write)
                continue;
            using (MemoryMappedFile map = MemoryMappedFile.CreateNew(name, capacity))
                Maps.Validate(map, capacity);
            using (MemoryMappedFile map = MemoryMappedFile.CreateNew(name, capacity, access))
                Maps.Validate(map, capacity, access);
            using (MemoryMappedFile map = MemoryMappedFile.CreateNew(name, capacity, access, options, inheritability))
                Maps.Validate(map, capacity, access);
        }
    }

    [Fact]
    public void CN_20_data_do_not_outlive_the_name()
    {
        foreach (string? name in new[] { null, Namespace.NewName() })
        {
            using (MemoryMappedFile map = MemoryMappedFile.CreateNew(name, 4096))
            using (MemoryMappedViewAccessor view = map.CreateViewAccessor())
                view.Write(0, 42);
            using (MemoryMappedFile map = MemoryMappedFile.CreateNew(name, 4096))
            using (MemoryMappedViewAccessor view = map.CreateViewAccessor())
                Assert.Equal(0, view.ReadByte(0));
        }
    }

    [Fact]
    public void CN_22_a_hundred_maps()
    {
        MemoryMappedFile[] maps =
            Enumerable.Range(0, 100).Select(_ => MemoryMappedFile.CreateNew(null, 4096)).ToArray();
        foreach (MemoryMappedFile map in maps)
            Maps.Validate(map, 4096);
        foreach (MemoryMappedFile map in maps)
            map.Dispose();
    }

    [Fact]
    public void CN_24_sizes_are_exact()
    {
        using MemoryMappedFile map = MemoryMappedFile.CreateNew(null, 1);
        using MemoryMappedViewAccessor view = map.CreateViewAccessor();
        Assert.Equal(1, view.Capacity);
    }

    [Fact]
    public void CN_25_dispose_twice_and_use_after()
    {
        MemoryMappedFile map = MemoryMappedFile.CreateNew(null, 4096);
        SafeMemoryMappedFileHandle handle = map.SafeMemoryMappedFileHandle;
        Assert.False(handle.IsClosed);
        Assert.False(handle.IsInvalid);
        map.Dispose();
        map.Dispose();
        Assert.True(handle.IsClosed);
        Assert.Same(handle, map.SafeMemoryMappedFileHandle);
        Check.Throws<ObjectDisposedException>(() => map.CreateViewAccessor());
        Check.Throws<ObjectDisposedException>(() => map.CreateViewStream());
    }

    [Fact]
    public void CO_01_names()
    {
        foreach (var open in OpenWithoutAccess())
        {
            Check.Throws<ArgumentNullException>("mapName", () => open(null!, 4096));
            Check.Throws<ArgumentException>("mapName", () => open("", 4096));
            Check.Throws<ArgumentOutOfRangeException>("capacity", () => open("Cat", 0));
            Check.Throws<ArgumentOutOfRangeException>("capacity", () => open("Cat", -1));
        }
    }

    [Fact]
    public void CO_10_creates_what_is_absent_and_opens_what_is_there()
    {
        string name = Namespace.NewName();
        foreach (long capacity in new long[] { 1, 256, Environment.SystemPageSize, 10000 })
        foreach (var open in OpenWithoutAccess())
        {
            using MemoryMappedFile map = open(name, capacity);
            Maps.Validate(map, capacity);
            using MemoryMappedFile second = open(name, capacity);
            Maps.Validate(second, capacity);
        }
        Assert.Throws<FileNotFoundException>(() => MemoryMappedFile.OpenExisting(name));
    }

    [Theory]
    [InlineData(MemoryMappedFileAccess.Read)]
    [InlineData(MemoryMappedFileAccess.CopyOnWrite)]
    [InlineData(MemoryMappedFileAccess.ReadExecute)]
    [InlineData(MemoryMappedFileAccess.ReadWriteExecute)]
    public void CO_11_each_access(MemoryMappedFileAccess access)
    {
        string name = Namespace.NewName();
        using MemoryMappedFile map = MemoryMappedFile.CreateOrOpen(name, 10000, access);
        using MemoryMappedFile second = MemoryMappedFile.CreateOrOpen(
            name, 10000, access, MemoryMappedFileOptions.DelayAllocatePages, HandleInheritability.Inheritable);
        Maps.Validate(map, 10000, access);
        Maps.Validate(second, 10000, access);
    }

    [Fact]
    public void CO_12_opens_the_map_of_a_file()
    {
        string name = Namespace.NewName();
        string path = Namespace.NewPath();
        using MemoryMappedFile file = MemoryMappedFile.CreateFromFile(path, FileMode.CreateNew, name, 10000);
        using MemoryMappedFile second = MemoryMappedFile.CreateOrOpen(name, 10000);
        Maps.Validate(second, 10000);
    }

    [Fact]
    public void CO_15_write_access_opens_only()
    {
        string name = Namespace.NewName();
        Check.Throws<ArgumentException>(
            "access", () => MemoryMappedFile.CreateOrOpen(name, 4096, MemoryMappedFileAccess.Write));
        using MemoryMappedFile map = MemoryMappedFile.CreateOrOpen(name, 4096);
        using MemoryMappedFile writer = MemoryMappedFile.CreateOrOpen(name, 4096, MemoryMappedFileAccess.Write);
        Maps.Validate(writer, 4096, MemoryMappedFileAccess.Write);
        Check.Throws<UnauthorizedAccessException>(
            () => writer.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read));
    }

    [Fact]
    public void CO_18_the_first_capacity_holds()
    {
        string name = Namespace.NewName();
        using MemoryMappedFile map = MemoryMappedFile.CreateNew(name, 10000);
        foreach (long capacity in new long[] { 1, 20000 })
        {
            using MemoryMappedFile second = MemoryMappedFile.CreateOrOpen(name, capacity);
            using MemoryMappedViewAccessor view = second.CreateViewAccessor();
            Assert.Equal(10000, view.Capacity);
        }
    }

    [Fact]
    public void CO_19_beyond_the_creators_grant_is_an_io_error()
    {
        string name = Namespace.NewName();
        using MemoryMappedFile map = MemoryMappedFile.CreateNew(name, 4096, MemoryMappedFileAccess.Read);
        using MemoryMappedFile second = MemoryMappedFile.CreateOrOpen(name, 4096);
        Check.Throws<IOException>(() => second.CreateViewAccessor());
        Check.Throws<IOException>(() => second.CreateViewStream(0, 4096));
        second.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read).Dispose();
    }

    [Fact]
    public void CO_20_beyond_the_handles_rights_is_access_denied()
    {
        string name = Namespace.NewName();
        using MemoryMappedFile map = MemoryMappedFile.CreateNew(name, 4096);
        using MemoryMappedFile second = MemoryMappedFile.CreateOrOpen(name, 4096, MemoryMappedFileAccess.Read);
        Check.Throws<UnauthorizedAccessException>(() => second.CreateViewAccessor());
        second.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read).Dispose();
    }

    // Every overload of OpenExisting.
    private static IEnumerable<Func<string, MemoryMappedFile>> Opens()
    {
        yield return name => MemoryMappedFile.OpenExisting(name);
        yield return name => MemoryMappedFile.OpenExisting(name, MemoryMappedFileRights.ReadWrite);
        yield return name => MemoryMappedFile.OpenExisting(name, MemoryMappedFileRights.ReadWrite, NotInherited);
    }

    [Fact]
    public void OE_arguments()
    {
        foreach (var open in Opens())
        {
            Check.Throws<ArgumentNullException>("mapName", () => open(null!));
            Check.Throws<ArgumentException>("mapName", () => open(""));
            Check.Throws<FileNotFoundException>(() => open(Namespace.NewName()));
        }
        Check.Throws<ArgumentOutOfRangeException>(
            "desiredAccessRights", () => MemoryMappedFile.OpenExisting("Cat", (MemoryMappedFileRights)0x800000));
        Check.Throws<ArgumentOutOfRangeException>(
            "inheritability",
            () => MemoryMappedFile.OpenExisting("Cat", (MemoryMappedFileRights)0x800000, (HandleInheritability)2));
    }

    [Fact]
    public void OE_opens()
    {
        string name = Namespace.NewName();
        using MemoryMappedFile map = MemoryMappedFile.CreateNew(name, 4096);
        foreach (var open in Opens())
        {
            using MemoryMappedFile second = open(name);
            Maps.Validate(second, 4096);
        }
        using (MemoryMappedFile reader = MemoryMappedFile.OpenExisting(name, MemoryMappedFileRights.Read))
            Maps.Validate(reader, 4096, MemoryMappedFileAccess.Read);
        using (MemoryMappedFile writer = MemoryMappedFile.OpenExisting(name, MemoryMappedFileRights.Write))
            Maps.Validate(writer, 4096, MemoryMappedFileAccess.Write);
        using (MemoryMappedFile nothing = MemoryMappedFile.OpenExisting(name, 0))
            Check.Throws<UnauthorizedAccessException>(
                () => nothing.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read));
        Check.Throws<IOException>(
            () => MemoryMappedFile.OpenExisting(name, MemoryMappedFileRights.AccessSystemSecurity));
        using MemoryMappedFile full = MemoryMappedFile.OpenExisting(
            name, MemoryMappedFileRights.FullControl, HandleInheritability.Inheritable);
        Maps.Validate(full, 4096);
    }

    [Fact]
    public void Names_of_other_kinds()
    {
        string name = Namespace.NewName();
        using var mutex = new Mutex(false, name);
        Check.ThrowsIO(6, () => MemoryMappedFile.CreateNew(name, 4096));
        Check.ThrowsIO(6, () => MemoryMappedFile.CreateOrOpen(name, 4096));
        Check.ThrowsIO(6, () => MemoryMappedFile.OpenExisting(name));
    }

    [Fact]
    public void Names_that_windows_refuses()
    {
        Check.Throws<DirectoryNotFoundException>(() => MemoryMappedFile.CreateNew(@"My\Cat", 4096));
        Check.Throws<DirectoryNotFoundException>(() => MemoryMappedFile.OpenExisting(@"local\Cat"));
        Check.Throws<PathTooLongException>(() => MemoryMappedFile.CreateNew(new string('x', 3501), 4096));
        Check.Throws<ArgumentException>("mapName", () => MemoryMappedFile.CreateNew(@"Global\", 4096));
    }

    [Fact]
    public void Case_matters_and_scopes_differ()
    {
        string name = Namespace.NewName();
        using MemoryMappedFile map = MemoryMappedFile.CreateNew(name, 4096);
        Check.Throws<FileNotFoundException>(() => MemoryMappedFile.OpenExisting(name.ToUpperInvariant()));
        Check.Throws<FileNotFoundException>(() => MemoryMappedFile.OpenExisting(@"Global\" + name));
        MemoryMappedFile.OpenExisting(@"Local\" + name).Dispose();
    }

    [Fact]
    public void A_failure_tells_what_libmmf_says()
    {
        FileNotFoundException exception =
            Check.Throws<FileNotFoundException>(() => MemoryMappedFile.OpenExisting("no such cat"));
        Assert.Contains("no such cat", exception.Message, StringComparison.Ordinal);
        Assert.Equal("MMF_E_NOT_FOUND", exception.Data["mmf.status"]);
    }
}
