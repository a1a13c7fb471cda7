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
    /// <param name="message">What has happened.</param>
    public AbandonedMutexException(string? message) : base(message)
    {
    }

    /// <summary>With a message and a cause.</summary>
    /// <param name="message">What has happened.</param>
    /// <param name="inner">The cause.</param>
    public AbandonedMutexException(string? message, Exception? inner) : base(message, inner)
    {
    }

    /// <summary>Of WaitAny: which of the handles it was.</summary>
    /// <param name="location">The index among the handles, or -1.</param>
    /// <param name="handle">The handle.</param>
    public AbandonedMutexException(int location, WaitHandle? handle) : base(location, null) =>
        Mutex = handle as Mutex;

    /// <summary>With a message, and which of the handles it was.</summary>
    /// <param name="message">What has happened.</param>
    /// <param name="location">The index among the handles, or -1.</param>
    /// <param name="handle">The handle.</param>
    public AbandonedMutexException(string? message, int location, WaitHandle? handle)
        : base(message, location, null) => Mutex = handle as Mutex;

    /// <summary>With a message, a cause, and which of the handles it was.</summary>
    /// <param name="message">What has happened.</param>
    /// <param name="inner">The cause.</param>
    /// <param name="location">The index among the handles, or -1.</param>
    /// <param name="handle">The handle.</param>
    public AbandonedMutexException(string? message, Exception? inner, int location, WaitHandle? handle)
        : base(message, inner, location, null) => Mutex = handle as Mutex;

    /// <summary>The abandoned mutex, if a WaitAny tells.</summary>
    public new Mutex? Mutex { get; }
}
