// The functions of libmmf that the binding calls, as include/mmf/*.h declares them.
//
// A call that can wait or make a system call leaves the garbage collector alone (no
// SuppressGCTransition). Handles are passed as numbers: the caller holds a reference to the
// SafeHandle meanwhile.
using System;
using System.Reflection;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Mmf;

internal static unsafe partial class Native
{
    private const string Library = "mmf";

    static Native() => NativeLibrary.SetDllImportResolver(typeof(Native).Assembly, Find);

    // "libmmf.so" is beside the assembly or in the package; a system that has only the
    // run-time package of mmf has it under its full name. On Windows "mmf.dll" is this assembly.
    private static nint Find(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name != Library)
            return 0;
        if (OperatingSystem.IsWindows())
            return NativeLibrary.TryLoad("libmmf.dll", assembly, path, out nint dll)
                ? dll
                : throw new DllNotFoundException("libmmf.dll was not found. The package Mmf does not bring it, and on " +
                                                 "Windows only channels need it: build mmf, and put it beside the " +
                                                 "application.");
        if (NativeLibrary.TryLoad(name, assembly, path, out nint library) ||
            NativeLibrary.TryLoad("libmmf.so.0", assembly, path, out library))
            return library;
        string beside = System.IO.Path.Combine(AppContext.BaseDirectory, "libmmf.so");
        if (System.IO.File.Exists(beside))
            throw new DllNotFoundException("libmmf.so is here, but cannot be loaded: " + WhyNot(beside));
        throw new DllNotFoundException(
            "libmmf.so was not found. The package Mmf brings it for linux-x64, linux-arm64, linux-musl-x64 and " +
            $"linux-musl-arm64; this is {RuntimeInformation.RuntimeIdentifier}. Elsewhere build mmf, and " +
            "install libmmf.so or put it beside the application.");
    }

    private static string WhyNot(string path)
    {
        try
        {
            NativeLibrary.Free(NativeLibrary.Load(path));
            return "it can now";
        }
        catch (Exception failure) when (failure is DllNotFoundException or BadImageFormatException)
        {
            return failure.Message;
        }
    }

    private const int F_DUPFD_CLOEXEC = 1030;

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int fd, int command, int argument);

    /// <summary>Another descriptor of the same open file.</summary>
    internal static SafeFileHandle Duplicate(SafeFileHandle file)
    {
        bool held = false;

        try
        {
            file.DangerousAddRef(ref held);
            int copy = fcntl((int)file.DangerousGetHandle(), F_DUPFD_CLOEXEC, 3);
            if (copy < 0)
                throw new System.IO.IOException("The file's descriptor cannot be duplicated: " +
                                                Marshal.GetLastPInvokeErrorMessage());
            return new SafeFileHandle(copy, true);
        }
        finally
        {
            if (held)
                file.DangerousRelease();
        }
    }

    internal const int Ok = 0, TimedOut = 1, Abandoned = 2;

    [StructLayout(LayoutKind.Sequential)]
    internal struct Error
    {
        internal int Status;
        internal int SystemError;
        internal fixed byte Parameter[40];
        internal fixed byte Message[1024];
        private fixed ulong reserved[8];
    }

    // Options: zero but for its size is the default, as in C.
    [StructLayout(LayoutKind.Sequential)]
    internal struct MapOptions()
    {
        private readonly uint size = (uint)sizeof(MapOptions);
        internal int Access;
        internal int Rights;
        internal int Inheritability;
        internal int Allocation;
        internal int AllUsers;
        internal uint Mode;
        internal int ExactCapacity;
        internal int WaitMilliseconds;
        internal int Share;
        internal int LeaveOpen;
        private readonly uint reserved;

        internal MapOptions(MemoryMappedFileAccess access, MemoryMappedFileOptions options,
                            System.IO.HandleInheritability inheritability) : this()
        {
            Access = (int)access;
            Allocation = (int)options;
            Inheritability = (int)inheritability;
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct SyncOptions()
    {
        private readonly uint size = (uint)sizeof(SyncOptions);
        internal int AllUsers;
        internal int ThisUserOnly;
        internal uint Mode;
        internal int WaitMilliseconds;
        private readonly uint reserved;
    }

    [LibraryImport(Library)]
    internal static partial void mmf_last_error(Error* error);

    [LibraryImport(Library)]
    internal static partial byte* mmf_status_name(int status);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_map_create_new(string? name, long capacity, MapOptions* options, nint* map);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_map_create_or_open(string? name, long capacity, MapOptions* options,
                                                       int* created, nint* map);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_map_open_existing(string? name, MapOptions* options, nint* map);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_map_create_from_file(string? path, int mode, string? name, long capacity,
                                                     MapOptions* options, nint* map);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_map_create_from_fd(int fd, string? name, long capacity, MapOptions* options,
                                                   nint* map);

    [LibraryImport(Library)]
    internal static partial int mmf_map_open_inherited(nint handle, MapOptions* options, nint* map);

    [LibraryImport(Library)]
    internal static partial int mmf_map_native_handle(nint map, nint* handle);

    [LibraryImport(Library)]
    internal static partial void mmf_map_close(nint map);

    [LibraryImport(Library)]
    internal static partial int mmf_accessor_create(nint map, long offset, long size, int access,
                                                    void* options, nint* view);

    [LibraryImport(Library)]
    internal static partial long mmf_accessor_pointer_offset(nint view);

    [LibraryImport(Library)]
    internal static partial int mmf_accessor_pointer(nint view, nint* bytes, nuint* size);

    [LibraryImport(Library)]
    internal static partial int mmf_accessor_flush(nint view);

    [LibraryImport(Library)]
    internal static partial void mmf_accessor_close(nint view);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_mutex_create_or_open(string? name, int owned, SyncOptions* options,
                                                         int* created, nint* mutex);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_mutex_open_existing(string? name, SyncOptions* options, nint* mutex);

    [LibraryImport(Library)]
    internal static partial int mmf_mutex_release(nint mutex);

    [LibraryImport(Library)]
    internal static partial void mmf_mutex_close(nint mutex);

    [LibraryImport(Library)]
    internal static partial nint mmf_mutex_waitable(nint mutex);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_event_create_or_open(string? name, int state, int mode,
                                                         SyncOptions* options, int* created, nint* handle);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_event_open_existing(string? name, SyncOptions* options, nint* handle);

    [LibraryImport(Library)]
    internal static partial int mmf_event_set(nint handle);

    [LibraryImport(Library)]
    internal static partial int mmf_event_reset(nint handle);

    [LibraryImport(Library)]
    internal static partial void mmf_event_close(nint handle);

    [LibraryImport(Library)]
    internal static partial nint mmf_event_waitable(nint handle);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_semaphore_create_or_open(string? name, int initial, int maximum,
                                                             SyncOptions* options, int* created,
                                                             nint* semaphore);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_semaphore_open_existing(string? name, SyncOptions* options,
                                                            nint* semaphore);

    [LibraryImport(Library)]
    internal static partial int mmf_semaphore_release(nint semaphore, int count, int* previous);

    [LibraryImport(Library)]
    internal static partial void mmf_semaphore_close(nint semaphore);

    [LibraryImport(Library)]
    internal static partial nint mmf_semaphore_waitable(nint semaphore);

    [LibraryImport(Library)]
    internal static partial int mmf_wait_one(nint handle, int timeout);

    [LibraryImport(Library)]
    internal static partial int mmf_wait_any(nint* handles, int count, int timeout, int* index);

    [LibraryImport(Library)]
    internal static partial int mmf_wait_all(nint* handles, int count, int timeout);

    [LibraryImport(Library)]
    internal static partial int mmf_signal_and_wait(nint signal, nint wait, int timeout);
}
