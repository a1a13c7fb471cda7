using System;

namespace Mmf;

/// <summary>
/// The mutex is yours, and its last owner died with it: what it guards may be half done. Also
/// caught as System.Threading.AbandonedMutexException, whose own Mutex cannot be one of ours.
/// </summary>
public class AbandonedMutexException : System.Threading.AbandonedMutexException
{
    /// <summary>Of a wait that does not tell which mutex it was.</summary>
    public AbandonedMutexException()
    {
    }

    /// <summary>With a message.</summary>
    public AbandonedMutexException(string? message) : base(message)
    {
    }

    /// <summary>With a message and a cause.</summary>
    public AbandonedMutexException(string? message, Exception? inner) : base(message, inner)
    {
    }

    /// <summary>Of WaitAny: which of the handles it was.</summary>
    public AbandonedMutexException(int location, WaitHandle? handle) : base(location, null) =>
        Mutex = handle as Mutex;

    /// <summary>With a message, and which of the handles it was.</summary>
    public AbandonedMutexException(string? message, int location, WaitHandle? handle)
        : base(message, location, null) => Mutex = handle as Mutex;

    /// <summary>With a message, a cause, and which of the handles it was.</summary>
    public AbandonedMutexException(string? message, Exception? inner, int location, WaitHandle? handle)
        : base(message, inner, location, null) => Mutex = handle as Mutex;

    /// <summary>The abandoned mutex, if a WaitAny tells.</summary>
    public new Mutex? Mutex { get; }
}
