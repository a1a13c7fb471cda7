// A status of libmmf becomes the exception that .NET throws on Windows.
using System;
using System.IO;
using System.Runtime.InteropServices;
using System.Threading;

namespace Mmf;

internal static unsafe class Failure
{
    // mmf_status of include/mmf/status.h.
    internal const int Invalid = -1, Null = -2, Range = -3, Access = -4, Exists = -5, NotFound = -6,
        PathNotFound = -7, PathTooLong = -8, Sharing = -9, NoSpace = -10, NoMemory = -11, Io = -12,
        Disposed = -13, NotSupported = -14, Platform = -15, Mismatch = -16, WrongKind = -17,
        NotOwner = -18, Full = -19, Recursion = -20, State = -21, Busy = -22, Layout = -23, Corrupt = -24,
        PeerClosed = -25, Maximum = -26, TooMany = -27;

    // What kind of object the call was about, where Windows has more than one exception for it.
    internal enum About { Map, Mutex, Event, Semaphore, Channel }

    /// <summary>Throws what this thread's last call failed with, if it returned a failure.</summary>
    internal static void Check(int rc, About about, string? path = null)
    {
        if (rc < 0)
            throw Of(rc, about, path);
    }

    /// <summary>The failure of this thread's last call, which returned <paramref name="status"/>.</summary>
    internal static Exception Of(int status, About about, string? path = null)
    {
        Native.Error error;
        Native.mmf_last_error(&error);
        string message = Text(error.Message);
        string parameter = Text(error.Parameter);
        Exception exception = Of(status, about, message, parameter.Length != 0 ? parameter : null, path);
        exception.Data["mmf.status"] = Text(Native.mmf_status_name(status));
        if (error.SystemError != 0)
            exception.Data["mmf.system_error"] = error.SystemError;
        return exception;
    }

    internal static string Text(byte* text) => Marshal.PtrToStringUTF8((nint)text) ?? "";

    private static Exception Of(int status, About about, string message, string? parameter, string? path) =>
        status switch
        {
            Invalid => new ArgumentException(message, parameter),
            Null => new ArgumentNullException(parameter, message),
            Range => new ArgumentOutOfRangeException(parameter, message),
            Access => new UnauthorizedAccessException(message),
            Exists => WithCode(message, path != null ? 80 : 183), // FILE_EXISTS, ALREADY_EXISTS
            NotFound when about is About.Map or About.Channel => new FileNotFoundException(message, path),
            PathNotFound when about == About.Semaphore => WithCode(message, 3),
            PathNotFound => new DirectoryNotFoundException(message),
            PathTooLong => new PathTooLongException(message),
            Sharing => WithCode(message, 32),
            NoSpace => WithCode(message, 112), // DISK_FULL
            NoMemory => WithCode(message, 8),
            Disposed => new ObjectDisposedException(null, message),
            NotSupported => new NotSupportedException(message),
            Platform => new PlatformNotSupportedException(message),
            WrongKind when about is About.Map or About.Channel => WithCode(message, 6), // INVALID_HANDLE
            NotFound or WrongKind => new WaitHandleCannotBeOpenedException(message),
            NotOwner => new ApplicationException(message),
            Maximum => new SemaphoreFullException(message),
            Recursion => new OverflowException(message),
            State => new InvalidOperationException(message),
            PeerClosed => new EndOfStreamException(message),
            Busy => WithCode(message, 170),
            // What .NET has no word for, and any other failure of the system.
            _ => new IOException(message),
        };

    // IOException with the code that it has on Windows, which programs look at.
    private static IOException WithCode(string message, int code) =>
        new(message, unchecked((int)0x80070000) | code);
}
