// What an editor shows of each member: Mmf.xml has every parameter and every answer.
using System;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Xml.Linq;
using Xunit;

namespace Mmf.Tests;

public class CommentTests
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance |
                                          BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly XElement[] comments =
        XDocument.Load(Path.Combine(AppContext.BaseDirectory, "Mmf.xml")).Descendants("member").ToArray();

    [Fact]
    public void Every_parameter_and_every_answer_is_described() =>
        Assert.Empty(typeof(MemoryMappedFile).Assembly.GetExportedTypes()
                         .Where(type => type is { IsEnum: false, BaseType: { } @base } && @base != typeof(MulticastDelegate))
                         .SelectMany(type => type.GetMembers(Declared).OfType<MethodBase>())
                         .Where(method => IsSeen(method) && !IsDescribed(method))
                         .Select(method => $"{method.DeclaringType}.{method}"));

    // And the exceptions of what can fail.
    [Theory]
    [InlineData(typeof(Mutex), "#ctor", nameof(UnauthorizedAccessException))]
    [InlineData(typeof(EventWaitHandle), "OpenExisting", "WaitHandleCannotBeOpenedException")]
    [InlineData(typeof(Semaphore), "Release", "SemaphoreFullException")]
    [InlineData(typeof(WaitHandle), "WaitOne", nameof(AbandonedMutexException))]
    [InlineData(typeof(MemoryMappedFile), "CreateNew", nameof(IOException))]
    public void Exceptions_are_described(Type type, string method, string exception) =>
        Assert.Contains(comments, comment => Name(comment).StartsWith($"M:{type}.{method}(", StringComparison.Ordinal) &&
                                             comment.Elements("exception").Any(one => ((string)one.Attribute("cref")!).EndsWith(
                                                 exception, StringComparison.Ordinal)));

    private static string Name(XElement comment) => (string)comment.Attribute("name")!;

    // Properties and what the compiler makes have no parameters to speak of.
    private static bool IsSeen(MethodBase method) =>
        (method.IsPublic || method.IsFamily) && !method.IsDefined(typeof(CompilerGeneratedAttribute)) &&
        (method.IsConstructor || !method.IsSpecialName || method.Name.StartsWith("op_", StringComparison.Ordinal));

    private static bool IsDescribed(MethodBase method)
    {
        string id = $"M:{method.DeclaringType!.FullName!.Replace('+', '.')}.{(method.IsConstructor ? "#ctor" : method.Name)}";
        string[] parameters = method.GetParameters().Select(parameter => parameter.Name!).ToArray();
        bool answers = method is MethodInfo info && info.ReturnType != typeof(void);

        return comments.Any(
            comment => Name(comment).Split('(', '`', '~')[0] == id.Split('`')[0] &&
                       (comment.Element("inheritdoc") != null ||
                        (parameters.SequenceEqual(comment.Elements("param").Select(Name)) &&
                         comment.Element("summary") != null && (!answers || comment.Element("returns") != null)))) ||
               (method.IsConstructor && parameters.Length == 0);
    }
}
