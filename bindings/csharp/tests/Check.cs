using System;
using System.IO;
using System.Threading;
using Xunit;

namespace Mmf.Tests;

internal static class Check
{
    internal const int Deadline = 60_000; // milliseconds; nothing should ever take so long

    /// <summary>Exactly this exception, with a message.</summary>
    internal static T Throws<T>(Action action) where T : Exception
    {
        T exception = Assert.Throws<T>(action);
        Assert.NotEqual("", exception.Message);
        return exception;
    }

    /// <summary>Exactly this exception, about this parameter.</summary>
    internal static void Throws<T>(string? parameter, Action action) where T : ArgumentException =>
        Assert.Equal(parameter, Throws<T>(action).ParamName);

    internal static void ThrowsIO(int code, Action action) =>
        Assert.Equal(unchecked((int)0x80070000) | code, Throws<IOException>(action).HResult);

    /// <summary>Runs in a thread of its own, to its end.</summary>
    internal static void InThread(Action action)
    {
        Exception? caught = null;
        var thread = new Thread(() =>
        {
            try
            {
                action();
            }
            catch (Exception exception)
            {
                caught = exception;
            }
        });
        thread.Start();
        Assert.True(thread.Join(Deadline), "the thread did not end");
        if (caught != null)
            throw new InvalidOperationException("in the thread", caught);
    }
}
