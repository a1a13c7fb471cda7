// Each status of libmmf and the exception that it becomes (docs/csharp.md).
using System;
using System.IO;
using System.Threading;
using Xunit;

namespace Mmf.Tests;

public class FailureTests
{
    [Theory]
    [InlineData(-1, typeof(ArgumentException))]
    [InlineData(-2, typeof(ArgumentNullException))]
    [InlineData(-3, typeof(ArgumentOutOfRangeException))]
    [InlineData(-4, typeof(UnauthorizedAccessException))]
    [InlineData(-5, typeof(IOException), 183)]
    [InlineData(-6, typeof(FileNotFoundException))]
    [InlineData(-7, typeof(DirectoryNotFoundException))]
    [InlineData(-8, typeof(PathTooLongException))]
    [InlineData(-9, typeof(IOException), 32)]
    [InlineData(-10, typeof(IOException), 112)]
    [InlineData(-11, typeof(IOException), 8)]
    [InlineData(-12, typeof(IOException))]
    [InlineData(-13, typeof(ObjectDisposedException))]
    [InlineData(-14, typeof(NotSupportedException))]
    [InlineData(-15, typeof(PlatformNotSupportedException))]
    [InlineData(-16, typeof(IOException))]
    [InlineData(-17, typeof(IOException), 6)]
    [InlineData(-18, typeof(ApplicationException))]
    [InlineData(-19, typeof(IOException))]
    [InlineData(-20, typeof(OverflowException))]
    [InlineData(-21, typeof(InvalidOperationException))]
    [InlineData(-22, typeof(IOException), 170)]
    [InlineData(-23, typeof(IOException))]
    [InlineData(-24, typeof(IOException))]
    [InlineData(-25, typeof(EndOfStreamException))]
    [InlineData(-26, typeof(SemaphoreFullException))]
    [InlineData(-27, typeof(IOException))]
    public void Each_status(int status, Type type, int code = 0)
    {
        Exception exception = Failure.Of(status, Failure.About.Map);
        Assert.IsType(type, exception);
        Assert.StartsWith("MMF_E_", (string)exception.Data["mmf.status"]!, StringComparison.Ordinal);
        Assert.NotEqual("MMF_E_?", exception.Data["mmf.status"]);
        if (code != 0)
            Assert.Equal(unchecked((int)0x80070000) | code, exception.HResult);
    }

    [Theory]
    [InlineData(-17)]
    [InlineData(-6)]
    public void A_name_that_cannot_be_opened(int status)
    {
        foreach (Failure.About about in new[] { Failure.About.Mutex, Failure.About.Event, Failure.About.Semaphore })
            Assert.IsType<WaitHandleCannotBeOpenedException>(Failure.Of(status, about));
    }

    // A directory that libmmf does not accept is named with the way out, and nothing is made there.
    [Fact]
    public void Corrupt_names_are_io_errors()
    {
        string name = Guid.NewGuid().ToString("N");
        MemoryMappedFile.CreateNew(name, 1).Dispose(); // so that the directory is there
        string directory = Directory.GetDirectories(Namespace.Directory, "mmf-*")[0];
        string path = Path.Combine(directory, name);
        File.WriteAllText(path, "this is no map");
        IOException exception = Check.Throws<IOException>(() => MemoryMappedFile.CreateNew(name, 4096));
        Assert.Equal("MMF_E_CORRUPT", exception.Data["mmf.status"]);
        exception = Check.Throws<IOException>(() => new Mutex(false, name));
        Assert.Equal("MMF_E_CORRUPT", exception.Data["mmf.status"]);
        Assert.Equal("this is no map", File.ReadAllText(path));
        File.Delete(path);
    }
}
