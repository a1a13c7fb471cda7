// Process A: creates the map "Cat" and writes a message into it. Written for .NET on Windows; what
// makes it run on Linux is the package in ProcessA.csproj.
using System;
using System.IO.MemoryMappedFiles;
using System.Text;

byte[] message = Encoding.UTF8.GetBytes("HI Night Mo.");

using MemoryMappedFile map = MemoryMappedFile.CreateNew("Cat", 10000);
using MemoryMappedViewAccessor view = map.CreateViewAccessor();
view.WriteArray(0, message, 0, message.Length);
Console.WriteLine("Message written to shared memory!");
Console.ReadLine(); // the map lives until the last process closes it
