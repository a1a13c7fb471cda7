// The functions of libmmf that the binding calls, as include/mmf/*.h declares them.
//
// A call that can wait or make a system call leaves the garbage collector alone (no
// SuppressGCTransition). Handles are passed as numbers: whoever calls holds a reference
// to the SafeHandle meanwhile.
using System;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Mmf;

internal static unsafe partial class Native
{
    private const string Library = "mmf";

    static Native() => NativeLibrary.SetDllImportResolver(typeof(Native).Assembly, Find);

    // "libmmf.so" is beside the assembly or in the package; a system that has only the
    // run-time package of mmf has it under its full name.
    private static nint Find(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name != Library)
            return 0;
        if (NativeLibrary.TryLoad(name, assembly, path, out nint library) ||
            NativeLibrary.TryLoad("libmmf.so.0", assembly, path, out library))
            return library;
        throw new DllNotFoundException(
            "libmmf.so was not found. The package Mmf brings it for the platforms that it " +
            $"names; this is {RuntimeInformation.RuntimeIdentifier}. Elsewhere build mmf, and " +
            "install libmmf.so or put it beside Mmf.dll.");
    }

    internal const int Ok = 0, TimedOut = 1, Abandoned = 2;

    [StructLayout(LayoutKind.Sequential)]
    internal struct Error
    {
        internal int Status;
        internal int SystemError;
        internal fixed byte Parameter[40];
        internal fixed byte Message[1024];
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct Options
    {
        internal uint Size;
        internal int Access;
        internal int MapOptions;
        internal int Inheritability;
        internal uint Mode;
        internal int Share;
        internal int LeaveOpen;
        internal uint Reserved;

        internal Options(MemoryMappedFileAccess access, MemoryMappedFileOptions options,
                         System.IO.HandleInheritability inheritability)
        {
            Size = (uint)sizeof(Options);
            Access = (int)access;
            MapOptions = (int)options;
            Inheritability = (int)inheritability;
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct OpenOptions
    {
        internal uint Size;
        internal int Rights;
        internal int Inheritability;
        internal uint Reserved;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct SyncOptions
    {
        internal uint Size;
        internal int CurrentUserOnly;
        internal int CurrentSessionOnly;
        internal uint Mode;
    }

    [LibraryImport(Library)]
    internal static partial void mmf_last_error(Error* error);

    [LibraryImport(Library)]
    internal static partial byte* mmf_status_name(int status);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_map_create_new(string? name, long capacity, Options* options, nint* map);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_map_create_or_open(string? name, long capacity, Options* options, nint* map);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_map_open_existing(string? name, OpenOptions* options, nint* map);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_map_create_from_file(string? path, int mode, string? name, long capacity,
                                                     Options* options, nint* map);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_map_create_from_fd(int fd, string? name, long capacity, Options* options,
                                                   nint* map);

    [LibraryImport(Library)]
    internal static partial int mmf_map_native_handle(nint map, nint* handle);

    [LibraryImport(Library)]
    internal static partial void mmf_map_close(nint map);

    [LibraryImport(Library)]
    internal static partial int mmf_accessor_create(nint map, long offset, long size, int access,
                                                         nint* view);

    [LibraryImport(Library)]
    internal static partial long mmf_accessor_pointer_offset(nint view);

    [LibraryImport(Library)]
    internal static partial int mmf_accessor_pointer(nint view, nint* bytes, long* size);

    [LibraryImport(Library)]
    internal static partial int mmf_accessor_flush(nint view);

    [LibraryImport(Library)]
    internal static partial void mmf_accessor_close(nint view);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_mutex_create_or_open(int owned, string? name, SyncOptions* options, int* createdNew,
                                                 nint* mutex);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_mutex_open_existing(string? name, SyncOptions* options, nint* mutex);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_mutex_try_open_existing(string? name, SyncOptions* options, int* opened,
                                                            nint* mutex);

    [LibraryImport(Library)]
    internal static partial int mmf_mutex_release(nint mutex);

    [LibraryImport(Library)]
    internal static partial void mmf_mutex_close(nint mutex);

    [LibraryImport(Library)]
    internal static partial nint mmf_mutex_waitable(nint mutex);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_event_create_or_open(int state, int mode, string? name, SyncOptions* options,
                                                 int* createdNew, nint* handle);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_event_open_existing(string? name, SyncOptions* options, nint* handle);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_event_try_open_existing(string? name, SyncOptions* options, int* opened,
                                                            nint* handle);

    [LibraryImport(Library)]
    internal static partial int mmf_event_set(nint handle);

    [LibraryImport(Library)]
    internal static partial int mmf_event_reset(nint handle);

    [LibraryImport(Library)]
    internal static partial void mmf_event_close(nint handle);

    [LibraryImport(Library)]
    internal static partial nint mmf_event_waitable(nint handle);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_semaphore_create_or_open(int initial, int maximum, string? name,
                                                     SyncOptions* options, int* createdNew, nint* semaphore);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_semaphore_open_existing(string? name, SyncOptions* options,
                                                            nint* semaphore);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mmf_semaphore_try_open_existing(string? name, SyncOptions* options,
                                                                int* opened, nint* semaphore);

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
