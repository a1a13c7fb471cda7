// Process A of the mission, which before that uses one of each kind. Published in each way that .NET
// has, for each system that runs here (test_consumers).
using System;
using System.IO.MemoryMappedFiles;
using System.Text;
using System.Threading;

using var mutex = new Mutex(true, "Cat lock", out bool created);
using var signal = new EventWaitHandle(false, EventResetMode.AutoReset, "Cat event");
using var semaphore = new Semaphore(0, 2, "Cat count");
using var cancel = new CancellationTokenSource();
var handles = new WaitHandle[] { semaphore, signal };

Check(created && typeof(Mutex).Namespace == "Mmf");
Check(WaitHandle.WaitAny(handles, 0) == WaitHandle.WaitTimeout);
new Thread(() => semaphore.Release(2)).Start();
Check(WaitHandle.WaitAny(handles) == 0);
signal.Set();
Check(WaitHandle.WaitAll(handles, 60000));
cancel.Cancel();
Check(WaitHandle.WaitAny(new WaitHandle[] { signal, cancel.Token.WaitHandle }) == 1);
mutex.ReleaseMutex();
try
{
    mutex.ReleaseMutex();
    Check(false);
}
catch (ApplicationException exception)
{
    // On Windows it is .NET's own, without a status of libmmf's.
    Check(OperatingSystem.IsWindows() || (string?)exception.Data["mmf.status"] == "MMF_E_NOT_OWNER");
}

await Channels.Use();

byte[] message = Encoding.UTF8.GetBytes("HI Night Mo.");
using var map = MemoryMappedFile.CreateNew("Cat", 10000);
using var view = map.CreateViewAccessor();
view.WriteArray(0, message, 0, message.Length);
Console.WriteLine("Message written to shared memory!");
Console.ReadLine();

static void Check(bool holds, [System.Runtime.CompilerServices.CallerLineNumber] int line = 0)
{
    if (!holds)
        throw new InvalidOperationException($"line {line} does not hold");
}
