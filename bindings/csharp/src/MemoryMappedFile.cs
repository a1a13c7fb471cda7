using System;
using System.Diagnostics.CodeAnalysis;
using System.IO;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;
using static Mmf.Failure;
using SystemMaps = System.IO.MemoryMappedFiles;

#if MMF_FACADE
namespace System.IO.MemoryMappedFiles;
#else
namespace Mmf;
#endif

/// <summary>
/// A map: bytes that several processes have in common, found by a name or in a file.
/// System.IO.MemoryMappedFiles.MemoryMappedFile, with names on Linux. A name goes with its last
/// handle, in whatever process and however that process ends.
/// </summary>
public unsafe class MemoryMappedFile : IDisposable
{
    private readonly SafeMemoryMappedFileHandle handle;
    private readonly IDisposable? owned; // the caller's stream or handle, closed with the map
    private readonly SystemMaps.MemoryMappedFile? system;

    private MemoryMappedFile(nint map, IDisposable? owned = null)
    {
        handle = new SafeMemoryMappedFileHandle(map);
        this.owned = owned;
    }

    private MemoryMappedFile(SystemMaps.MemoryMappedFile system)
    {
        this.system = system;
        handle = new SafeMemoryMappedFileHandle(system.SafeMemoryMappedFileHandle);
    }

    /// <summary>The map's handle; always the same object, closed by Dispose.</summary>
    public SafeMemoryMappedFileHandle SafeMemoryMappedFileHandle => handle;

    //
    // By name.
    //

    /// <summary>Opens the map <paramref name="mapName"/> for reading and writing.</summary>
    /// <param name="mapName">The name, Local\ or Global\ before it.</param>
    /// <returns>The object.</returns>
    /// <exception cref="FileNotFoundException">There is no such map.</exception>
    public static MemoryMappedFile OpenExisting(string mapName) =>
        OpenExisting(mapName, MemoryMappedFileRights.ReadWrite, HandleInheritability.None);

    /// <summary>Opens the map <paramref name="mapName"/> with the given rights.</summary>
    /// <param name="mapName">The name, Local\ or Global\ before it.</param>
    /// <param name="desiredAccessRights">What the handle is for.</param>
    /// <returns>The object.</returns>
    /// <exception cref="FileNotFoundException">There is no such map.</exception>
    public static MemoryMappedFile OpenExisting(string mapName, MemoryMappedFileRights desiredAccessRights) =>
        OpenExisting(mapName, desiredAccessRights, HandleInheritability.None);

    /// <summary>Opens the map <paramref name="mapName"/>; what is asked beyond its creator's grant shows
    /// when a view is made.</summary>
    /// <param name="mapName">The name, Local\ or Global\ before it.</param>
    /// <param name="desiredAccessRights">What the handle is for.</param>
    /// <param name="inheritability">Whether children get the handle.</param>
    /// <returns>The object.</returns>
    /// <exception cref="FileNotFoundException">There is no such map.</exception>
    public static MemoryMappedFile OpenExisting(string mapName, MemoryMappedFileRights desiredAccessRights,
                                                HandleInheritability inheritability)
    {
        if (Backend.IsSystem)
            return SystemBackend.OpenExisting(mapName, desiredAccessRights, inheritability);
        return OpenExisting(mapName, Settings(desiredAccessRights, inheritability));
    }

    // No rights at all: in C a 0 stands for the access.
    private static Native.MapOptions Settings(MemoryMappedFileRights desiredAccessRights,
                                              HandleInheritability inheritability = HandleInheritability.None) =>
        new(default, default, inheritability)
        {
            Rights = (int)(desiredAccessRights != 0 ? desiredAccessRights : MemoryMappedFileRights.ReadPermissions),
        };

    internal static MemoryMappedFile OpenExisting(string mapName, Native.MapOptions options)
    {
        nint map;
        Check(Native.mmf_map_open_existing(mapName, &options, &map), About.Map);
        return new MemoryMappedFile(map);
    }

    /// <summary>Creates a map of <paramref name="capacity"/> zero bytes; null makes an unnamed one.</summary>
    /// <param name="mapName">A name, Local\ or Global\ before it; null for none.</param>
    /// <param name="capacity">How many bytes a new one has.</param>
    /// <returns>The map.</returns>
    /// <exception cref="IOException">A map of that name exists, or there is no space.</exception>
    public static MemoryMappedFile CreateNew(string? mapName, long capacity) =>
        CreateNew(mapName, capacity, MemoryMappedFileAccess.ReadWrite, MemoryMappedFileOptions.None,
                  HandleInheritability.None);

    /// <summary>Creates a map that gives the access <paramref name="access"/>.</summary>
    /// <param name="mapName">A name, Local\ or Global\ before it; null for none.</param>
    /// <param name="capacity">How many bytes a new one has.</param>
    /// <param name="access">What its views may do.</param>
    /// <returns>The map.</returns>
    /// <exception cref="IOException">A map of that name exists, or there is no space.</exception>
    public static MemoryMappedFile CreateNew(string? mapName, long capacity, MemoryMappedFileAccess access) =>
        CreateNew(mapName, capacity, access, MemoryMappedFileOptions.None, HandleInheritability.None);

    /// <summary>Creates a map; the name is free again when its last handle is gone.</summary>
    /// <param name="mapName">A name, Local\ or Global\ before it; null for none.</param>
    /// <param name="capacity">How many bytes a new one has.</param>
    /// <param name="access">What its views may do.</param>
    /// <param name="options">When the bytes of a new one are reserved.</param>
    /// <param name="inheritability">Whether children get the handle.</param>
    /// <returns>The map.</returns>
    /// <exception cref="IOException">A map of that name exists.</exception>
    public static MemoryMappedFile CreateNew(string? mapName, long capacity, MemoryMappedFileAccess access,
                                             MemoryMappedFileOptions options,
                                             HandleInheritability inheritability)
    {
        if (Backend.IsSystem)
            return SystemBackend.CreateNew(mapName, capacity, access, options, inheritability);
        return CreateNew(mapName, capacity, new Native.MapOptions(access, options, inheritability));
    }

    internal static MemoryMappedFile CreateNew(string? mapName, long capacity, Native.MapOptions options)
    {
        nint map;
        Check(Native.mmf_map_create_new(mapName, capacity, &options, &map), About.Map);
        return new MemoryMappedFile(map);
    }

    /// <summary>Opens the map <paramref name="mapName"/>, or creates it if it does not exist.</summary>
    /// <param name="mapName">The name, Local\ or Global\ before it.</param>
    /// <param name="capacity">How many bytes a new one has.</param>
    /// <returns>The map.</returns>
    /// <exception cref="IOException">The name belongs to another kind of object, or there is no space.</exception>
    public static MemoryMappedFile CreateOrOpen(string mapName, long capacity) =>
        CreateOrOpen(mapName, capacity, MemoryMappedFileAccess.ReadWrite, MemoryMappedFileOptions.None,
                     HandleInheritability.None);

    /// <summary>Opens the map <paramref name="mapName"/>, or creates it if it does not exist.</summary>
    /// <param name="mapName">The name, Local\ or Global\ before it.</param>
    /// <param name="capacity">How many bytes a new one has.</param>
    /// <param name="access">What its views may do.</param>
    /// <returns>The map.</returns>
    /// <exception cref="IOException">The name belongs to another kind of object, or there is no space.</exception>
    public static MemoryMappedFile CreateOrOpen(string mapName, long capacity, MemoryMappedFileAccess access) =>
        CreateOrOpen(mapName, capacity, access, MemoryMappedFileOptions.None, HandleInheritability.None);

    /// <summary>Opens the map <paramref name="mapName"/>, or creates it if it does not exist, in one step. An
    /// existing map keeps its capacity and options.</summary>
    /// <param name="mapName">The name, Local\ or Global\ before it.</param>
    /// <param name="capacity">How many bytes a new one has.</param>
    /// <param name="access">What its views may do.</param>
    /// <param name="options">When the bytes of a new one are reserved.</param>
    /// <param name="inheritability">Whether children get the handle.</param>
    /// <returns>The map.</returns>
    /// <exception cref="IOException">The name belongs to another kind of object, or there is no space.</exception>
    public static MemoryMappedFile CreateOrOpen(string mapName, long capacity, MemoryMappedFileAccess access,
                                                MemoryMappedFileOptions options,
                                                HandleInheritability inheritability)
    {
        if (Backend.IsSystem)
            return SystemBackend.CreateOrOpen(mapName, capacity, access, options, inheritability);
        return CreateOrOpen(mapName, capacity, new Native.MapOptions(access, options, inheritability), out _);
    }

    internal static MemoryMappedFile CreateOrOpen(string mapName, long capacity, Native.MapOptions options,
                                                  out bool createdNew)
    {
        int created;
        nint map;
        Check(Native.mmf_map_create_or_open(mapName, capacity, &options, &created, &map), About.Map);
        createdNew = created != 0;
        return new MemoryMappedFile(map);
    }

#if !MMF_FACADE // .NET's own has no such overloads
    /// <summary>Creates a map that other users may open, too, as the mode permits.</summary>
    /// <param name="mapName">A name; other users find those that begin with Global\.</param>
    /// <param name="capacity">How many bytes.</param>
    /// <param name="access">What this handle may do.</param>
    /// <param name="options">When the bytes are reserved.</param>
    /// <param name="inheritability">Whether children get the handle.</param>
    /// <param name="unixCreateMode">Who may read and write it, whatever the process's umask.</param>
    /// <returns>The map.</returns>
    /// <exception cref="IOException">A map of that name exists, or there is no space.</exception>
    /// <exception cref="ArgumentException">A mode of no user, or with other bits than read, write and execute.</exception>
    /// <exception cref="PlatformNotSupportedException">On Windows.</exception>
    [UnsupportedOSPlatform("windows")]
    public static MemoryMappedFile CreateNew(string mapName, long capacity, MemoryMappedFileAccess access,
                                             MemoryMappedFileOptions options,
                                             HandleInheritability inheritability, UnixFileMode unixCreateMode) =>
        CreateNew(mapName, capacity,
                  new Native.MapOptions(access, options, inheritability) { Mode = Named.Mode(unixCreateMode) });

    /// <summary>Opens the map <paramref name="mapName"/>, or creates it if it does not exist, and says which it
    /// was.</summary>
    /// <param name="mapName">The name; other users find those that begin with Global\.</param>
    /// <param name="capacity">How many bytes a new one has.</param>
    /// <param name="createdNew">Whether this call created it.</param>
    /// <param name="exactCapacity">Whether an existing map must have that capacity, too; else it keeps its own.</param>
    /// <param name="access">What its views may do.</param>
    /// <param name="options">When the bytes of a new one are reserved.</param>
    /// <param name="inheritability">Whether children get the handle.</param>
    /// <param name="unixCreateMode">Who may read and write a new one, whatever the process's umask.</param>
    /// <returns>The map.</returns>
    /// <exception cref="IOException">The name belongs to another kind of object; there is no space; with
    /// <paramref name="exactCapacity"/>, the map has another capacity.</exception>
    /// <exception cref="ArgumentException">A mode of no user, or with other bits than read, write and execute.</exception>
    /// <exception cref="UnauthorizedAccessException">The map is another user's, who does not permit it.</exception>
    /// <exception cref="PlatformNotSupportedException">On Windows.</exception>
    [UnsupportedOSPlatform("windows")]
    public static MemoryMappedFile CreateOrOpen(string mapName, long capacity, out bool createdNew,
                                                bool exactCapacity = false,
                                                MemoryMappedFileAccess access = MemoryMappedFileAccess.ReadWrite,
                                                MemoryMappedFileOptions options = MemoryMappedFileOptions.None,
                                                HandleInheritability inheritability = HandleInheritability.None,
                                                UnixFileMode unixCreateMode = UnixFileMode.UserRead |
                                                                              UnixFileMode.UserWrite) =>
        CreateOrOpen(mapName, capacity, new Native.MapOptions(access, options, inheritability)
        {
            Mode = Named.Mode(unixCreateMode),
            ExactCapacity = exactCapacity ? 1 : 0,
        }, out createdNew);

    /// <summary>Opens the map <paramref name="mapName"/> if there is one, or will be in time.</summary>
    /// <param name="mapName">The name, Local\ or Global\ before it.</param>
    /// <param name="map">The map, or null.</param>
    /// <param name="timeout">How long to wait for the name.</param>
    /// <param name="desiredAccessRights">What the handle is for.</param>
    /// <returns>False: there is no such map, also after that time.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An invalid timeout.</exception>
    /// <exception cref="IOException">The name belongs to another kind of object.</exception>
    /// <exception cref="UnauthorizedAccessException">The map is another user's, who does not permit it.</exception>
    /// <exception cref="PlatformNotSupportedException">On Windows.</exception>
    [UnsupportedOSPlatform("windows")]
    public static bool TryOpenExisting(
        string mapName, [NotNullWhen(true)] out MemoryMappedFile? map, TimeSpan timeout = default,
        MemoryMappedFileRights desiredAccessRights = MemoryMappedFileRights.ReadWrite)
    {
        Backend.NeedLibrary("wait for a map's name");
        Native.MapOptions options = Settings(desiredAccessRights);
        options.WaitMilliseconds = Channels.SharedChannelOptions.Milliseconds(timeout);
        nint opened;
        int rc = Native.mmf_map_open_existing(mapName, &options, &opened);

        map = null;
        if (rc == NotFound)
            return false;
        Check(rc, About.Map);
        map = new MemoryMappedFile(opened);
        return true;
    }

    /// <summary>Takes over an inheritable map that the parent process has left to this one.</summary>
    /// <param name="handle">The number that the map's SafeMemoryMappedFileHandle has there, and the descriptor here: it
    /// belongs to the map then. The parent tells it as it likes: in an argument, in the environment.</param>
    /// <param name="desiredAccessRights">What the map is for.</param>
    /// <returns>The map.</returns>
    /// <exception cref="ObjectDisposedException">There is no such descriptor.</exception>
    /// <exception cref="IOException">The descriptor is not a map's.</exception>
    /// <exception cref="PlatformNotSupportedException">On Windows.</exception>
    [UnsupportedOSPlatform("windows")]
    public static MemoryMappedFile OpenInherited(
        nint handle, MemoryMappedFileRights desiredAccessRights = MemoryMappedFileRights.ReadWrite)
    {
        Backend.NeedLibrary("take over an inherited map");
        Native.MapOptions options = Settings(desiredAccessRights);
        nint map;

        Check(Native.mmf_map_open_inherited(handle, &options, &map), About.Map);
        return new MemoryMappedFile(map);
    }
#endif

    //
    // Of a file.
    //

    /// <summary>Maps the file <paramref name="path"/>.</summary>
    /// <param name="path">The file's path.</param>
    /// <returns>The map.</returns>
    /// <exception cref="IOException">The file is in use, or there is no space.</exception>
    /// <exception cref="UnauthorizedAccessException">The file does not permit it.</exception>
    public static MemoryMappedFile CreateFromFile(string path) =>
        CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.ReadWrite);

    /// <summary>Maps the file <paramref name="path"/>.</summary>
    /// <param name="path">The file's path.</param>
    /// <param name="mode">How the file is opened or created.</param>
    /// <returns>The map.</returns>
    /// <exception cref="IOException">The file is in use, or there is no space.</exception>
    /// <exception cref="UnauthorizedAccessException">The file does not permit it.</exception>
    public static MemoryMappedFile CreateFromFile(string path, FileMode mode) =>
        CreateFromFile(path, mode, null, 0, MemoryMappedFileAccess.ReadWrite);

    /// <summary>Maps the file <paramref name="path"/>, under a name.</summary>
    /// <param name="path">The file's path.</param>
    /// <param name="mode">How the file is opened or created.</param>
    /// <param name="mapName">A name, Local\ or Global\ before it; null for none.</param>
    /// <returns>The map.</returns>
    /// <exception cref="IOException">The file is in use, or there is no space.</exception>
    /// <exception cref="UnauthorizedAccessException">The file does not permit it.</exception>
    public static MemoryMappedFile CreateFromFile(string path, FileMode mode, string? mapName) =>
        CreateFromFile(path, mode, mapName, 0, MemoryMappedFileAccess.ReadWrite);

    /// <summary>Maps the file <paramref name="path"/>, under a name.</summary>
    /// <param name="path">The file's path.</param>
    /// <param name="mode">How the file is opened or created.</param>
    /// <param name="mapName">A name, Local\ or Global\ before it; null for none.</param>
    /// <param name="capacity">How many bytes; 0 is the length of the file, and a larger number makes it grow.</param>
    /// <returns>The map.</returns>
    /// <exception cref="IOException">The file is in use, or there is no space.</exception>
    /// <exception cref="UnauthorizedAccessException">The file does not permit it.</exception>
    public static MemoryMappedFile CreateFromFile(string path, FileMode mode, string? mapName, long capacity) =>
        CreateFromFile(path, mode, mapName, capacity, MemoryMappedFileAccess.ReadWrite);

    /// <summary>Maps the file <paramref name="path"/>; capacity 0 means its length, a larger one makes it
    /// grow. Unless <paramref name="mapName"/> is null, others find the map by it.</summary>
    /// <param name="path">The file's path.</param>
    /// <param name="mode">How the file is opened or created.</param>
    /// <param name="mapName">A name, Local\ or Global\ before it; null for none.</param>
    /// <param name="capacity">How many bytes; 0 is the length of the file, and a larger number makes it grow.</param>
    /// <param name="access">What its views may do.</param>
    /// <returns>The map.</returns>
    /// <exception cref="IOException">The file is in use, or there is no space.</exception>
    /// <exception cref="UnauthorizedAccessException">The file does not permit it.</exception>
    public static MemoryMappedFile CreateFromFile(string path, FileMode mode, string? mapName, long capacity,
                                                  MemoryMappedFileAccess access)
    {
        if (Backend.IsSystem)
            return SystemBackend.CreateFromFile(path, mode, mapName, capacity, access);
        ArgumentNullException.ThrowIfNull(path);
        if (path.Contains('\0'))
            throw new ArgumentException("Null character in path.", nameof(path));
        var settings = new Native.MapOptions(access, MemoryMappedFileOptions.None, HandleInheritability.None);
        nint map;
        Check(Native.mmf_map_create_from_file(path, (int)mode, mapName, capacity, &settings, &map), About.Map, path);
        return new MemoryMappedFile(map);
    }

    /// <summary>Maps an open file.</summary>
    /// <param name="fileStream">The open file.</param>
    /// <param name="mapName">A name, Local\ or Global\ before it; null for none.</param>
    /// <param name="capacity">How many bytes; 0 is the length of the file, and a larger number makes it grow.</param>
    /// <param name="access">What its views may do.</param>
    /// <param name="inheritability">Whether children get the handle.</param>
    /// <param name="leaveOpen">Whether it stays open when the map is closed.</param>
    /// <returns>The map.</returns>
    /// <exception cref="IOException">The file is in use, or there is no space.</exception>
    /// <exception cref="UnauthorizedAccessException">The file does not permit it.</exception>
    public static MemoryMappedFile CreateFromFile(FileStream fileStream, string? mapName, long capacity,
                                                  MemoryMappedFileAccess access,
                                                  HandleInheritability inheritability, bool leaveOpen)
    {
        if (Backend.IsSystem)
            return SystemBackend.CreateFromFile(fileStream, mapName, capacity, access, inheritability,
                                                leaveOpen);
        ArgumentNullException.ThrowIfNull(fileStream);
        CheckFile(mapName, capacity, access);
        ObjectDisposedException.ThrowIf(!fileStream.CanRead && !fileStream.CanWrite, fileStream);
        if (capacity == 0 && fileStream.Length == 0)
            throw new ArgumentException("The file is empty, and no capacity was given.");
        if (inheritability < HandleInheritability.None || inheritability > HandleInheritability.Inheritable)
            throw new ArgumentOutOfRangeException(nameof(inheritability));
        // The property writes the stream's buffer to the file, which the map then shows.
        return CreateFromHandle(fileStream.SafeFileHandle, mapName, capacity, access, inheritability,
                                leaveOpen ? null : fileStream);
    }

    /// <summary>Maps an open file.</summary>
    /// <param name="fileHandle">The open file.</param>
    /// <param name="mapName">A name, Local\ or Global\ before it; null for none.</param>
    /// <param name="capacity">How many bytes; 0 is the length of the file, and a larger number makes it grow.</param>
    /// <param name="access">What its views may do.</param>
    /// <param name="inheritability">Whether children get the handle.</param>
    /// <param name="leaveOpen">Whether it stays open when the map is closed.</param>
    /// <returns>The map.</returns>
    /// <exception cref="IOException">The file is in use, or there is no space.</exception>
    /// <exception cref="UnauthorizedAccessException">The file does not permit it.</exception>
    public static MemoryMappedFile CreateFromFile(SafeFileHandle fileHandle, string? mapName, long capacity,
                                                  MemoryMappedFileAccess access,
                                                  HandleInheritability inheritability, bool leaveOpen)
    {
        if (Backend.IsSystem)
            return SystemBackend.CreateFromFile(fileHandle, mapName, capacity, access, inheritability,
                                                leaveOpen);
        ArgumentNullException.ThrowIfNull(fileHandle);
        CheckFile(mapName, capacity, access);
        return CreateFromHandle(fileHandle, mapName, capacity, access, inheritability,
                                leaveOpen ? null : fileHandle);
    }

    // What .NET checks before it touches the stream (contract 2.3, 2 to 5).
    private static void CheckFile(string? mapName, long capacity, MemoryMappedFileAccess access)
    {
        if (mapName != null && mapName.Length == 0)
            throw new ArgumentException("The name is empty.");
        ArgumentOutOfRangeException.ThrowIfNegative(capacity);
        if (access < MemoryMappedFileAccess.ReadWrite || access > MemoryMappedFileAccess.ReadWriteExecute)
            throw new ArgumentOutOfRangeException(nameof(access));
        if (access == MemoryMappedFileAccess.Write)
            throw new ArgumentException("A map cannot be made for writing alone.", nameof(access));
    }

    // The map has a descriptor of its own: the caller's closes when the caller wants it to.
    private static MemoryMappedFile CreateFromHandle(SafeFileHandle file, string? mapName, long capacity,
                                                     MemoryMappedFileAccess access,
                                                     HandleInheritability inheritability, IDisposable? owned)
    {
        var settings = new Native.MapOptions(access, MemoryMappedFileOptions.None, inheritability);
        using SafeFileHandle copy = Native.Duplicate(file);
        nint map;

        Check(Native.mmf_map_create_from_fd((int)copy.DangerousGetHandle(), mapName, capacity, &settings, &map), About.Map);
        copy.SetHandleAsInvalid(); // the map closes it
        return new MemoryMappedFile(map, owned);
    }

    //
    // Views.
    //

    /// <summary>A view of everything, for reading and writing.</summary>
    /// <returns>The view.</returns>
    /// <exception cref="UnauthorizedAccessException">The map does not give that access, or the view ends behind
    /// it.</exception>
    public MemoryMappedViewAccessor CreateViewAccessor() =>
        CreateViewAccessor(0, 0, MemoryMappedFileAccess.ReadWrite);

    /// <summary>A view for reading and writing; size 0 means to the end.</summary>
    /// <param name="offset">Where the view begins.</param>
    /// <param name="size">How many bytes; 0 means to the end.</param>
    /// <returns>The view.</returns>
    /// <exception cref="UnauthorizedAccessException">The map does not give that access, or the view ends behind
    /// it.</exception>
    public MemoryMappedViewAccessor CreateViewAccessor(long offset, long size) =>
        CreateViewAccessor(offset, size, MemoryMappedFileAccess.ReadWrite);

    /// <summary>A view; size 0 means to the end.</summary>
    /// <param name="offset">Where the view begins.</param>
    /// <param name="size">How many bytes; 0 means to the end.</param>
    /// <param name="access">What the view may do.</param>
    /// <returns>The view.</returns>
    /// <exception cref="UnauthorizedAccessException">The map does not give that access, or the view ends behind
    /// it.</exception>
    public MemoryMappedViewAccessor CreateViewAccessor(long offset, long size, MemoryMappedFileAccess access) =>
        new(CreateView(offset, size, access));

    /// <summary>A stream over everything, for reading and writing.</summary>
    /// <returns>The view.</returns>
    /// <exception cref="UnauthorizedAccessException">The map does not give that access, or the view ends behind
    /// it.</exception>
    public MemoryMappedViewStream CreateViewStream() =>
        CreateViewStream(0, 0, MemoryMappedFileAccess.ReadWrite);

    /// <summary>A stream for reading and writing; size 0 means to the end.</summary>
    /// <param name="offset">Where the view begins.</param>
    /// <param name="size">How many bytes; 0 means to the end.</param>
    /// <returns>The view.</returns>
    /// <exception cref="UnauthorizedAccessException">The map does not give that access, or the view ends behind
    /// it.</exception>
    public MemoryMappedViewStream CreateViewStream(long offset, long size) =>
        CreateViewStream(offset, size, MemoryMappedFileAccess.ReadWrite);

    /// <summary>A stream; size 0 means to the end.</summary>
    /// <param name="offset">Where the view begins.</param>
    /// <param name="size">How many bytes; 0 means to the end.</param>
    /// <param name="access">What the view may do.</param>
    /// <returns>The view.</returns>
    /// <exception cref="UnauthorizedAccessException">The map does not give that access, or the view ends behind
    /// it.</exception>
    public MemoryMappedViewStream CreateViewStream(long offset, long size, MemoryMappedFileAccess access) =>
        new(CreateView(offset, size, access));

    private MappedView CreateView(long offset, long size, MemoryMappedFileAccess access)
    {
        if (system != null)
            return new MappedView(
                system.CreateViewAccessor(offset, size, (SystemMaps.MemoryMappedFileAccess)access), access);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        if (access < MemoryMappedFileAccess.ReadWrite || access > MemoryMappedFileAccess.ReadWriteExecute)
            throw new ArgumentOutOfRangeException(nameof(access));

        bool held = false;
        nint view;

        ObjectDisposedException.ThrowIf(handle.IsClosed, this);
        try
        {
            handle.DangerousAddRef(ref held);
            Check(Native.mmf_accessor_create(handle.Map, offset, size, (int)access, null, &view), About.Map);
        }
        finally
        {
            if (held)
                handle.DangerousRelease();
        }
        return new MappedView(view, access);
    }

    //
    // The end.
    //

    /// <summary>Closes the map. Its views stay as they are.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes the map.</summary>
    /// <param name="disposing">Whether Dispose was called, and not the garbage collector.</param>
    protected virtual void Dispose(bool disposing)
    {
        handle.Dispose();
        if (!disposing)
            return;
        system?.Dispose();
        owned?.Dispose();
    }

    // .NET's own maps, where the system has names.
#pragma warning disable CA1416 // a call on Linux gets .NET's PlatformNotSupportedException
    private static class SystemBackend
    {
        internal static MemoryMappedFile OpenExisting(string mapName, MemoryMappedFileRights rights,
                                                      HandleInheritability inheritability) =>
            new(SystemMaps.MemoryMappedFile.OpenExisting(
                mapName, (SystemMaps.MemoryMappedFileRights)rights, inheritability));

        internal static MemoryMappedFile CreateNew(string? mapName, long capacity,
                                                   MemoryMappedFileAccess access,
                                                   MemoryMappedFileOptions options,
                                                   HandleInheritability inheritability) =>
            new(SystemMaps.MemoryMappedFile.CreateNew(
                mapName, capacity, (SystemMaps.MemoryMappedFileAccess)access,
                (SystemMaps.MemoryMappedFileOptions)options, inheritability));

        internal static MemoryMappedFile CreateOrOpen(string mapName, long capacity,
                                                      MemoryMappedFileAccess access,
                                                      MemoryMappedFileOptions options,
                                                      HandleInheritability inheritability) =>
            new(SystemMaps.MemoryMappedFile.CreateOrOpen(
                mapName, capacity, (SystemMaps.MemoryMappedFileAccess)access,
                (SystemMaps.MemoryMappedFileOptions)options, inheritability));

        internal static MemoryMappedFile CreateFromFile(string path, FileMode mode, string? mapName,
                                                        long capacity, MemoryMappedFileAccess access) =>
            new(SystemMaps.MemoryMappedFile.CreateFromFile(
                path, mode, mapName, capacity, (SystemMaps.MemoryMappedFileAccess)access));

        internal static MemoryMappedFile CreateFromFile(FileStream fileStream, string? mapName, long capacity,
                                                        MemoryMappedFileAccess access,
                                                        HandleInheritability inheritability, bool leaveOpen) =>
            new(SystemMaps.MemoryMappedFile.CreateFromFile(
                fileStream, mapName, capacity, (SystemMaps.MemoryMappedFileAccess)access, inheritability,
                leaveOpen));

        internal static MemoryMappedFile CreateFromFile(SafeFileHandle fileHandle, string? mapName,
                                                        long capacity, MemoryMappedFileAccess access,
                                                        HandleInheritability inheritability, bool leaveOpen) =>
            new(SystemMaps.MemoryMappedFile.CreateFromFile(
                fileHandle, mapName, capacity, (SystemMaps.MemoryMappedFileAccess)access, inheritability,
                leaveOpen));
    }
#pragma warning restore CA1416
}
