using System;
using System.IO.MemoryMappedFiles;
using System.Threading;

// A named one of .NET's: neither another type nor a warning of mmf's.
using var mutex = new Mutex(false, "App");
Console.WriteLine($"app: {mutex.GetType()} {typeof(MemoryMappedFile)}");
Console.WriteLine($"library: {Library.Visitors.Types} {Library.Visitors.Count()}");
