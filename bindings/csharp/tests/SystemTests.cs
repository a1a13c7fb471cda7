// Ours over .NET's own types, as on Windows; here with what .NET has on Linux: no names but a mutex's.
using System;
using System.IO;
using System.Threading;
using Xunit;

namespace Mmf.Tests;

public sealed class SystemTests : IDisposable
{
    public SystemTests() => Backend.PreferSystem = true;

    public void Dispose() => Backend.PreferSystem = false;

    [Fact]
    public void Maps_and_views()
    {
        using MemoryMappedFile map = MemoryMappedFile.CreateNew(null, 8192);
        Tests.Maps.Validate(map, 8192);
        MemoryMappedViewAccessor view = map.CreateViewAccessor(5000, 100);
        Assert.Equal(5000 - 4096, view.PointerOffset);
        view.Write(0, 42);
        map.Dispose();
        Assert.True(map.SafeMemoryMappedFileHandle.IsClosed);
        Check.Throws<ObjectDisposedException>(() => map.CreateViewAccessor());
        Assert.Equal(42, view.ReadInt32(0));
        view.Flush();
        view.Dispose();
        Assert.True(view.SafeMemoryMappedViewHandle.IsClosed);
        Check.Throws<ObjectDisposedException>(() => view.ReadByte(0));
        Check.Throws<PlatformNotSupportedException>(() => MemoryMappedFile.CreateNew("Cat", 1));
        Check.Throws<PlatformNotSupportedException>(() => MemoryMappedFile.CreateOrOpen("Cat", 1));
        Check.Throws<PlatformNotSupportedException>(() => MemoryMappedFile.OpenExisting("Cat"));
    }

    [Fact]
    public void Files()
    {
        string path = Namespace.NewPath();
        using (MemoryMappedFile map = MemoryMappedFile.CreateFromFile(path, FileMode.CreateNew, null, 10))
        using (MemoryMappedViewStream stream = map.CreateViewStream())
            stream.WriteByte(1);
        Assert.Equal(1, File.ReadAllBytes(path)[0]);
        using (var file = new FileStream(path, FileMode.Open))
        using (MemoryMappedFile map = MemoryMappedFile.CreateFromFile(
                   file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, false))
        using (MemoryMappedViewAccessor view = map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read))
            Assert.Equal(1, view.ReadByte(0));
        using (var handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite))
        using (MemoryMappedFile map = MemoryMappedFile.CreateFromFile(
                   handle, null, 0, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, true))
            Assert.Equal(10, map.CreateViewStream().Length);
    }

    [Fact]
    public void Synchronisation()
    {
        using var mutex = new Mutex(true);
        using var signal = new AutoResetEvent(false);
        using var semaphore = new Semaphore(1, 2);
        mutex.ReleaseMutex();
        Check.Throws<ApplicationException>(() => mutex.ReleaseMutex());
        Assert.True(signal.Set());
        Assert.True(WaitHandle.WaitAll([signal, semaphore], 0));
        Assert.Equal(0, semaphore.Release(2));
        Assert.Equal(1, WaitHandle.WaitAny([signal, semaphore], 0));
        Assert.True(signal.Set() && signal.Reset());
        Assert.True(WaitHandle.SignalAndWait(signal, semaphore));
        Assert.False(mutex.SafeWaitHandle.IsInvalid);
        Check.InThread(() => mutex.WaitOne());
        AbandonedMutexException exception =
            Check.Throws<AbandonedMutexException>(() => WaitHandle.WaitAny([semaphore, mutex]));
        Assert.Same(mutex, exception.Mutex);
        mutex.ReleaseMutex();
        Check.InThread(() => mutex.WaitOne());
        Check.Throws<AbandonedMutexException>(() => mutex.WaitOne());
        Check.Throws<PlatformNotSupportedException>(
            () => new EventWaitHandle(false, EventResetMode.AutoReset, "Cat"));
        Check.Throws<PlatformNotSupportedException>(() => Semaphore.OpenExisting("Cat"));
        string name = Guid.NewGuid().ToString("N");
        Assert.False(Mutex.TryOpenExisting(name, default, out _));
        using var named = new Mutex(false, name, default, out bool createdNew);
        Assert.True(createdNew);
        using Mutex opened = Mutex.OpenExisting(name, default);
        Assert.True(opened.WaitOne(0));
    }
}
