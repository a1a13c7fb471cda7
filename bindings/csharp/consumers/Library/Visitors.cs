using System.IO.MemoryMappedFiles;
using System.Threading;

namespace Library;

public static class Visitors
{
    public static int Count()
    {
        using var mutex = new Mutex(false, "Visitors lock");
        using var map = MemoryMappedFile.CreateOrOpen("Visitors", 4);
        using var view = map.CreateViewAccessor();

        mutex.WaitOne();
        view.Write(0, view.ReadInt32(0) + 1);
        mutex.ReleaseMutex();
        return view.ReadInt32(0);
    }

    public static string Types => $"{typeof(Mutex)} {typeof(MemoryMappedFile)}";
}
