// Process A: makes the map "Cat" and leaves a message in it. Written for .NET on Windows; what
// makes it run on Linux is the package in ProcessA.csproj.
using System;
using System.IO.MemoryMappedFiles;
using System.Text;

byte[] message = Encoding.ASCII.GetBytes("HI Night Mo.");

using MemoryMappedFile map = MemoryMappedFile.CreateNew("Cat", 10000);
using MemoryMappedViewAccessor view = map.CreateViewAccessor();
view.WriteArray(0, message, 0, message.Length);
Console.WriteLine("Message written to shared memory!");
Console.ReadLine(); // a map lives as long as somebody has it open
